"""Rules study_scores and tuning_scores: two networks on one recording."""

from spikeline.artifacts import Provenance
from spikeline.config.sorting import ScoringSettings, SorterSettings
from spikeline.log import log_to
from spikeline.sorting.simsort.studies.steps import made_or_shipped, score_networks_to_file

log_to(snakemake.log[0])
score_networks_to_file(
    snakemake.input.recording.removesuffix(".manifest.json"),
    made_or_shipped(snakemake.input),
    snakemake.output[0],
    SorterSettings.parse(snakemake.params.sorter),
    ScoringSettings.parse(snakemake.params.scoring),
    tuple(snakemake.params.filter_hz),
    seed=snakemake.params.seed,
    start_s=snakemake.params.start_s,
    threads=snakemake.threads,
    provenance=Provenance.of_job(snakemake),
)
