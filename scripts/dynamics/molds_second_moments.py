"""Rule molds_second_moments: one piece of the trajectories."""

from spikeline.artifacts import Provenance
from spikeline.dynamics.experiments.moments import second_moments_to_file
from spikeline.log import log_to

log_to(snakemake.log[0])
second_moments_to_file(
    snakemake.input.data,
    snakemake.output[0],
    snakemake.params.estimators,
    lags=snakemake.params.lags,
    piece=int(snakemake.wildcards.piece),
    trajectories_per_piece=snakemake.params.trajectories_per_piece,
    provenance=Provenance.of_job(snakemake),
)
