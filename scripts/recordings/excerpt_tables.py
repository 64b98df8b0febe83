"""Rule excerpt_tables: what the figure of a recording is drawn from."""

from spikeline.artifacts import Provenance, write_csv
from spikeline.log import log_to
from spikeline.simulation.illustration.recording import recording_tables
from spikeline.simulation.recordings.recording import read_recording

log_to(snakemake.log[0])
made = read_recording(snakemake.input[0].removesuffix(".manifest.json"))
tables = recording_tables(
    made.recording, made.sorting, unit_facts=made.units, band_hz=tuple(snakemake.params.filter_hz)
)
for name, table in tables.items():
    write_csv(snakemake.output[name], table, provenance=Provenance.of_job(snakemake))
