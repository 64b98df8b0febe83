"""Rule ablations: draw the figure."""

from spikeline.artifacts import Provenance
from spikeline.figures import draw_ablations
from spikeline.log import log_to

log_to(snakemake.log[0])
draw_ablations(
    list(snakemake.input.tables),
    snakemake.output.png.removesuffix(".png"),
    clustering_csvs=list(snakemake.input.clusterings),
    tier=snakemake.params.tier,
    provenance=Provenance.of_job(snakemake),
)
