"""Rule recording_excerpt: draw the figure."""

from spikeline.artifacts import Provenance
from spikeline.figures import draw_recording_excerpt
from spikeline.log import log_to

log_to(snakemake.log[0])
draw_recording_excerpt(
    snakemake.input.excerpt,
    snakemake.input.spikes,
    snakemake.input.units,
    snakemake.input.contacts,
    snakemake.output.png.removesuffix(".png"),
    tier=snakemake.params.tier,
    provenance=Provenance.of_job(snakemake),
)
