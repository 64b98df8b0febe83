"""Rule held_out_classes: draw the figure."""

from spikeline.artifacts import Provenance
from spikeline.figures import draw_held_out_classes
from spikeline.log import log_to

log_to(snakemake.log[0])
draw_held_out_classes(
    list(snakemake.input.tables),
    snakemake.output.png.removesuffix(".png"),
    tier=snakemake.params.tier,
    provenance=Provenance.of_job(snakemake),
)
