"""Rule bank_rank: draw the figure."""

from spikeline.artifacts import Provenance
from spikeline.figures import draw_bank_rank
from spikeline.log import log_to

log_to(snakemake.log[0])
draw_bank_rank(
    snakemake.input.rank_error,
    snakemake.input.bank,
    snakemake.output.png.removesuffix(".png"),
    tolerance_uv=snakemake.params.tolerance_uv,
    tolerance_percent=snakemake.params.tolerance_percent,
    tier=snakemake.params.tier,
    provenance=Provenance.of_job(snakemake),
)
