"""Rule molds_selection: draw the figure."""

from spikeline.artifacts import Provenance
from spikeline.figures import draw_molds_selection
from spikeline.log import log_to

log_to(snakemake.log[0])
draw_molds_selection(
    snakemake.input.selection,
    snakemake.input.facts,
    snakemake.output.png.removesuffix(".png"),
    session=snakemake.wildcards.session,
    simulated=snakemake.params.simulated,
    true_components=snakemake.params.true_components,
    published=snakemake.params.published,
    tier=snakemake.params.tier,
    provenance=Provenance.of_job(snakemake),
)
