"""Rule real_tables: what the figure of a real recording is drawn from."""

from pathlib import Path

from spikeline.artifacts import Provenance
from spikeline.log import log_to
from spikeline.sorting.steps import real_tables_to_files

log_to(snakemake.log[0])
real_tables_to_files(
    snakemake.wildcards.dataset,
    snakemake.config["data_root"],
    snakemake.input.table,
    {Path(path).stem: path for path in snakemake.input.sortings},
    snakemake.output.waveforms,
    snakemake.output.excerpt,
    snakemake.output.spikes,
    tuple(snakemake.params.filter_hz),
    provenance=Provenance.of_job(snakemake),
)
