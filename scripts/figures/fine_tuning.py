"""Rule fine_tuning: draw the figure."""

from spikeline.artifacts import Provenance
from spikeline.figures import draw_fine_tuning
from spikeline.log import log_to

log_to(snakemake.log[0])
draw_fine_tuning(
    snakemake.input.table,
    snakemake.output.png.removesuffix(".png"),
    tier=snakemake.params.tier,
    provenance=Provenance.of_job(snakemake),
)
