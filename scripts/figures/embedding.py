"""Rule embedding: draw the figure."""

from spikeline.artifacts import Provenance
from spikeline.figures import draw_embedding
from spikeline.log import log_to

log_to(snakemake.log[0])
draw_embedding(
    snakemake.input.points,
    snakemake.input.outlines,
    snakemake.input.waveforms,
    snakemake.output.png.removesuffix(".png"),
    tier=snakemake.params.tier,
    provenance=Provenance.of_job(snakemake),
)
