"""Rule sort_real: one real recording, one sorter."""

from spikeline.artifacts import Provenance
from spikeline.config.sorting import SorterSettings
from spikeline.log import log_to
from spikeline.sorting.run_elsewhere import peers_environment
from spikeline.sorting.simsort.weight_files import folder_of
from spikeline.sorting.steps import sort_dataset_to_file

log_to(snakemake.log[0])
sort_dataset_to_file(
    snakemake.wildcards.dataset,
    snakemake.config["data_root"],
    snakemake.input.table,
    snakemake.output[0],
    SorterSettings.parse(snakemake.params.sorter),
    seed=snakemake.params.seed,
    threads=snakemake.threads,
    trained_weights=folder_of(snakemake.input.weights),
    peers=peers_environment(snakemake.input.peers),
    provenance=Provenance.of_job(snakemake),
)
