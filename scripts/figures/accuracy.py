"""Rule accuracy: draw the figure."""

from spikeline.artifacts import Provenance
from spikeline.figures import draw_accuracy
from spikeline.log import log_to

log_to(snakemake.log[0])
draw_accuracy(
    snakemake.input.scores,
    snakemake.input.counts,
    snakemake.output.png.removesuffix(".png"),
    snr_edges=snakemake.params.snr_edges,
    well_detected_accuracy=snakemake.params.well_detected_accuracy,
    tier=snakemake.params.tier,
    provenance=Provenance.of_job(snakemake),
)
