"""Rule training_data: draw the figure."""

from spikeline.artifacts import Provenance
from spikeline.figures import draw_training_data
from spikeline.log import log_to

log_to(snakemake.log[0])
draw_training_data(
    list(snakemake.input.tables),
    snakemake.output.png.removesuffix(".png"),
    studies=snakemake.params.studies,
    tier=snakemake.params.tier,
    provenance=Provenance.of_job(snakemake),
)
