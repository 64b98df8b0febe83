"""Rule clustering_table: the embedding of true spikes, reduced and clustered in other ways."""

from spikeline.artifacts import Provenance
from spikeline.config.sorting import ScoringSettings, SorterSettings
from spikeline.log import log_to
from spikeline.sorting.simsort.studies.steps import clustering_table_to_file
from spikeline.sorting.simsort.weight_files import folder_of

log_to(snakemake.log[0])
clustering_table_to_file(
    snakemake.input.recording.removesuffix(".manifest.json"),
    snakemake.output[0],
    SorterSettings.parse(snakemake.params.sorter),
    ScoringSettings.parse(snakemake.params.scoring),
    tuple(snakemake.params.filter_hz),
    seed=snakemake.params.seed,
    trained_weights=folder_of(snakemake.input.weights),
    threads=snakemake.threads,
    provenance=Provenance.of_job(snakemake),
)
