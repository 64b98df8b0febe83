"""Rule sort: one recording, one sorter."""

from spikeline.artifacts import Provenance
from spikeline.config.sorting import SorterSettings
from spikeline.log import log_to
from spikeline.simulation.recordings import read_recording
from spikeline.sorting.run import sort_recording
from spikeline.sorting.sorting_file import write_sorting

log_to(snakemake.log[0])
made = read_recording(snakemake.input[0].removesuffix(".manifest.json"))
sorting = sort_recording(
    made.recording, SorterSettings.parse(snakemake.params.sorter), threads=snakemake.threads, seed=snakemake.params.seed
)
write_sorting(snakemake.output[0], sorting, Provenance.of_job(snakemake))
