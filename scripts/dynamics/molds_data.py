"""Rule molds_data: mixtures and their trajectories."""

from spikeline.artifacts import Provenance
from spikeline.dynamics.experiments.data import data_to_file
from spikeline.log import log_to

log_to(snakemake.log[0])
data_to_file(
    snakemake.output[0],
    snakemake.wildcards.experiment,
    snakemake.params.tasks,
    held_out=snakemake.params.held_out,
    seed=snakemake.params.seed,
    provenance=Provenance.of_job(snakemake),
)
