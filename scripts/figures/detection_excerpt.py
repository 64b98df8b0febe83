"""Rule detection_excerpt: draw the figure."""

from spikeline.artifacts import Provenance
from spikeline.figures import draw_detection_excerpt
from spikeline.log import log_to

log_to(snakemake.log[0])
draw_detection_excerpt(
    snakemake.input.excerpt,
    snakemake.input.probability,
    snakemake.input.spikes,
    snakemake.input.events,
    snakemake.output.png.removesuffix(".png"),
    tier=snakemake.params.tier,
    provenance=Provenance.of_job(snakemake),
)
