"""Rule neural_stability: fits to parts of the trials, and trials by themselves."""

from spikeline.artifacts import Provenance
from spikeline.config.molds import NeuralSettings
from spikeline.dynamics.neural.steps import stability_to_files
from spikeline.log import log_to

log_to(snakemake.log[0])
stability_to_files(
    snakemake.input.trajectories,
    snakemake.input.fit,
    NeuralSettings.parse(snakemake.params.shared),
    dict(snakemake.output.items()),
    seed=snakemake.params.seed,
    provenance=Provenance.of_job(snakemake),
)
