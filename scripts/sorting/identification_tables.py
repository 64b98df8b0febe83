"""Rules identification_tables and identification_tables_real: features of true spikes, clustered, on one recording."""

from spikeline.artifacts import Provenance
from spikeline.config.sorting import ScoringSettings, SorterSettings
from spikeline.log import log_to
from spikeline.sorting.simsort.evaluation.steps import DatasetPlace, identification_tables_to_files
from spikeline.sorting.simsort.weight_files import folder_of

log_to(snakemake.log[0])
dataset = snakemake.wildcards.get("dataset")
identification_tables_to_files(
    DatasetPlace(dataset, snakemake.config["data_root"], snakemake.input.table)
    if dataset
    else snakemake.input.recording.removesuffix(".manifest.json"),
    dict(snakemake.output.items()),
    SorterSettings.parse(snakemake.params.sorter),
    ScoringSettings.parse(snakemake.params.scoring),
    tuple(snakemake.params.filter_hz),
    seed=snakemake.params.seed,
    trained_weights=folder_of(snakemake.input.weights),
    threads=snakemake.threads,
    provenance=Provenance.of_job(snakemake),
)
