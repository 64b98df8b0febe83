"""Rule sorting_table: draw the figure."""

from spikeline.artifacts import Provenance
from spikeline.figures import draw_sorting_table
from spikeline.log import log_to

log_to(snakemake.log[0])
draw_sorting_table(
    snakemake.input.scores,
    snakemake.output.png.removesuffix(".png"),
    tier=snakemake.params.tier,
    **snakemake.params.compared,
    provenance=Provenance.of_job(snakemake),
)
