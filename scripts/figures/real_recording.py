"""Rule real_recording: draw the figure."""

from spikeline.artifacts import Provenance
from spikeline.figures import draw_real_recording
from spikeline.log import log_to

log_to(snakemake.log[0])
draw_real_recording(
    snakemake.input.waveforms,
    snakemake.input.excerpt,
    snakemake.input.spikes,
    snakemake.output.png.removesuffix(".png"),
    sorters=snakemake.params.sorters,
    tier=snakemake.params.tier,
    provenance=Provenance.of_job(snakemake),
)
