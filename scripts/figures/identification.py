"""Rule identification: draw the figure."""

from spikeline.artifacts import Provenance
from spikeline.figures import draw_identification
from spikeline.log import log_to

log_to(snakemake.log[0])
draw_identification(
    snakemake.input.scores,
    snakemake.output.png.removesuffix(".png"),
    tier=snakemake.params.tier,
    provenance=Provenance.of_job(snakemake),
)
