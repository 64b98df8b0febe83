"""Rule molds_scores: every estimate of a batch beside the truth."""

from pathlib import Path

from spikeline.artifacts import Provenance
from spikeline.dynamics.experiments.scoring import scores_to_file
from spikeline.log import log_to

log_to(snakemake.log[0])
files = snakemake.input
scores_to_file(
    snakemake.wildcards.experiment,
    files.data,
    snakemake.output[0],
    snakemake.params.methods,
    whitening_path=files.get("whitening"),
    components_path=files.get("components"),
    starts_path=files.get("starts"),
    fit_paths={Path(path).stem: path for path in files.get("fits", [])},
    stage=tuple(snakemake.params.stage),
    lags=snakemake.params.lags,
    provenance=Provenance.of_job(snakemake),
)
