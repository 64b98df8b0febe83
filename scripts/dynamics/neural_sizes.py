"""Rule neural_sizes: mixtures of some numbers of components and states."""

from spikeline.artifacts import Provenance
from spikeline.config.molds import NeuralSettings
from spikeline.dynamics.neural.steps import sizes_to_file
from spikeline.log import log_to

log_to(snakemake.log[0])
sizes_to_file(
    snakemake.input.trajectories,
    snakemake.params.sizes,
    NeuralSettings.parse(snakemake.params.shared),
    snakemake.output[0],
    seed=snakemake.params.seed,
    provenance=Provenance.of_job(snakemake),
)
