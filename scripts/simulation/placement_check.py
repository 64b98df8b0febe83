"""Rule placement_check: our placement of every cell against LFPy's."""

from spikeline.artifacts import Provenance
from spikeline.log import log_to
from spikeline.simulation.placement_check import write_placement_check

log_to(snakemake.log[0])
write_placement_check(
    snakemake.output[0],
    snakemake.input,
    snakemake.params.seed,
    conductivity_s_per_m=snakemake.params.conductivity_s_per_m,
    provenance=Provenance.of_job(snakemake),
)
