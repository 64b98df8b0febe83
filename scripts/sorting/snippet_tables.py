"""Rule snippet_tables: features of snippets that a data set brings, clustered."""

from spikeline.artifacts import Provenance
from spikeline.config.sorting import SorterSettings
from spikeline.log import log_to
from spikeline.sorting.simsort.evaluation.steps import DatasetPlace, snippet_tables_to_files
from spikeline.sorting.simsort.weight_files import folder_of

log_to(snakemake.log[0])
snippet_tables_to_files(
    DatasetPlace(snakemake.wildcards.dataset, snakemake.config["data_root"], snakemake.input.table),
    dict(snakemake.output.items()),
    SorterSettings.parse(snakemake.params.sorter),
    seed=snakemake.params.seed,
    trained_weights=folder_of(snakemake.input.weights),
    threads=snakemake.threads,
    provenance=Provenance.of_job(snakemake),
)
