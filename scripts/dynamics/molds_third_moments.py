"""Rule molds_third_moments: one piece of the trajectories."""

from spikeline.artifacts import Provenance
from spikeline.dynamics.experiments.moments import third_moments_to_file
from spikeline.log import log_to

log_to(snakemake.log[0])
third_moments_to_file(
    snakemake.input.data,
    snakemake.input.whitening,
    snakemake.output[0],
    lags=snakemake.params.lags,
    piece=int(snakemake.wildcards.piece),
    trajectories_per_piece=snakemake.params.trajectories_per_piece,
    provenance=Provenance.of_job(snakemake),
)
