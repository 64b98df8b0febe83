"""Rule score_real: every sorting of one real recording against its known spikes, by both rules."""

from pathlib import Path

from spikeline.artifacts import Provenance
from spikeline.config.sorting import ScoringSettings
from spikeline.log import log_to
from spikeline.sorting.real_scores import score_dataset_to_files

log_to(snakemake.log[0])
score_dataset_to_files(
    snakemake.wildcards.dataset,
    snakemake.config["data_root"],
    snakemake.input.table,
    {Path(path).stem: path for path in snakemake.input.sortings},
    snakemake.output.scores,
    snakemake.output.counts,
    ScoringSettings.parse(snakemake.params.scoring),
    tuple(snakemake.params.filter_hz),
    provenance=Provenance.of_job(snakemake),
)
