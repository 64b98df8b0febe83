"""Rule neural_trajectories: a session, and its trials as trajectories."""

from spikeline.artifacts import Provenance
from spikeline.config.molds import NeuralSessionSettings, NeuralSettings
from spikeline.dynamics.neural.steps import session_to_files
from spikeline.log import log_to

log_to(snakemake.log[0])
session_to_files(
    snakemake.wildcards.session,
    # horizons matter later, and may be edited without making trajectories again
    NeuralSessionSettings.parse({**snakemake.params.session, "horizons": [1]}),
    NeuralSettings.parse(snakemake.params.shared),
    dict(snakemake.output.items()),
    seed=snakemake.params.seed,
    data_root=snakemake.config.get("data_root"),
    dataset_table=snakemake.input.get("table") or None,
    provenance=Provenance.of_job(snakemake),
)
