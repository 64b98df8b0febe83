"""Rule sort: one recording, one sorter."""

from spikeline.artifacts import Provenance
from spikeline.config.sorting import SorterSettings
from spikeline.log import log_to
from spikeline.sorting.steps import sort_to_file

log_to(snakemake.log[0])
sort_to_file(
    snakemake.input[0].removesuffix(".manifest.json"),
    snakemake.output[0],
    SorterSettings.parse(snakemake.params.sorter),
    seed=snakemake.params.seed,
    threads=snakemake.threads,
    provenance=Provenance.of_job(snakemake),
)
