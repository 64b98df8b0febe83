"""Rule molds_whitening: directions of the second moments of all pieces."""

from spikeline.artifacts import Provenance
from spikeline.dynamics.experiments.moments import whitening_to_file
from spikeline.log import log_to

log_to(snakemake.log[0])
whitening_to_file(
    snakemake.input.data,
    snakemake.input.second,
    snakemake.output[0],
    snakemake.params.estimators,
    provenance=Provenance.of_job(snakemake),
)
