"""Rule sorting_over_peers: SimSort beside the peers."""

from spikeline.artifacts import Provenance
from spikeline.log import log_to
from spikeline.sorting.benchmarks.sorting_over_peers import write_sorting_over_peers

log_to(snakemake.log[0])
write_sorting_over_peers(
    snakemake.output[0],
    snakemake.input.entries,
    program=snakemake.input.program,
    peers_interpreter=snakemake.params.interpreter,
    seed=snakemake.params.seed,
    allowed_cells=snakemake.params.allowed_cells,
    provenance=Provenance.of_job(snakemake),
)
