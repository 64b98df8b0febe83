"""Rule molds_stability: draw the figure."""

from spikeline.artifacts import Provenance
from spikeline.figures import draw_molds_stability
from spikeline.log import log_to

log_to(snakemake.log[0])
draw_molds_stability(
    snakemake.input.labels,
    snakemake.input.subsets,
    snakemake.input.single_trials,
    snakemake.input.facts,
    snakemake.output.png.removesuffix(".png"),
    session=snakemake.wildcards.session,
    simulated=snakemake.params.simulated,
    tier=snakemake.params.tier,
    provenance=Provenance.of_job(snakemake),
)
