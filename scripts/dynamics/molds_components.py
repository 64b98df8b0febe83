"""Rule molds_components: third moments taken apart, responses realised."""

from spikeline.artifacts import Provenance
from spikeline.dynamics.experiments.components import components_to_file
from spikeline.log import log_to

log_to(snakemake.log[0])
components_to_file(
    snakemake.input.data,
    snakemake.input.whitening,
    snakemake.input.third,
    snakemake.output[0],
    snakemake.params.decompositions,
    experiment=snakemake.wildcards.experiment,
    seed=snakemake.params.seed,
    provenance=Provenance.of_job(snakemake),
)
