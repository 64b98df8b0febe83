"""Rule score: every sorting of one recording against the truth, by both rules."""

from pathlib import Path

from spikeline.artifacts import Provenance
from spikeline.config.sorting import ScoringSettings
from spikeline.log import log_to
from spikeline.sorting.steps import score_to_files

log_to(snakemake.log[0])
score_to_files(
    snakemake.input.recording.removesuffix(".manifest.json"),
    {Path(path).stem: path for path in snakemake.input.sortings},
    snakemake.output.scores,
    snakemake.output.counts,
    ScoringSettings.parse(snakemake.params.scoring),
    tuple(snakemake.params.filter_hz),
    provenance=Provenance.of_job(snakemake),
)
