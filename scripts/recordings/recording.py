"""Rule recording: one synthetic recording with known spikes."""

from spikeline.artifacts import Provenance
from spikeline.config import RecordingSettings
from spikeline.log import log_to
from spikeline.simulation.recordings import make_recording, read_entries, write_recording

log_to(snakemake.log[0])
settings = RecordingSettings.parse(snakemake.params.recording)
entries = read_entries(snakemake.input.units, snakemake.input.background, settings)
made = make_recording(
    entries.units,
    settings,
    snakemake.params.seed,
    snakemake.wildcards.recording,
    background=entries.background,
    allowed_cells=snakemake.params.allowed_cells,
    conductivity_s_per_m=snakemake.params.conductivity_s_per_m,
)
folder = snakemake.output.manifest.removesuffix(".manifest.json")
write_recording(folder, made, provenance=Provenance.of_job(snakemake), threads=snakemake.threads)
