"""Rule neural_comparison: the chosen size, and all methods of that size."""

from spikeline.artifacts import Provenance
from spikeline.config.molds import NeuralSettings
from spikeline.dynamics.neural.steps import comparison_to_files
from spikeline.log import log_to

log_to(snakemake.log[0])
comparison_to_files(
    snakemake.wildcards.session,
    snakemake.input.trajectories,
    list(snakemake.input.sizes),
    NeuralSettings.parse(snakemake.params.shared),
    snakemake.params.horizons,
    dict(snakemake.output.items()),
    seed=snakemake.params.seed,
    provenance=Provenance.of_job(snakemake),
)
