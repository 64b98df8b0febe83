"""Rule recording: one synthetic recording with known spikes."""

from spikeline.artifacts import Provenance
from spikeline.config import RecordingSettings
from spikeline.log import log_to
from spikeline.simulation.bank import read_bank_entry
from spikeline.simulation.recordings.recording import make_recording, write_recording

log_to(snakemake.log[0])
made = make_recording(
    [read_bank_entry(path) for path in snakemake.input.units],
    RecordingSettings.parse(snakemake.params.recording),
    snakemake.params.seed,
    snakemake.wildcards.recording,
    background=[read_bank_entry(path) for path in snakemake.input.background],
    allowed_cells=snakemake.params.allowed_cells,
    conductivity_s_per_m=snakemake.params.conductivity_s_per_m,
)
folder = snakemake.output.manifest.removesuffix(".manifest.json")
write_recording(folder, made, provenance=Provenance.of_job(snakemake), threads=snakemake.threads)
