"""Rule dynamax_over_ours: seconds of an iteration of EM."""

from spikeline.artifacts import Provenance
from spikeline.dynamics.benchmarks.dynamax_over_ours import write_dynamax_over_ours
from spikeline.log import log_to

log_to(snakemake.log[0])
write_dynamax_over_ours(
    snakemake.output[0],
    [snakemake.params.interpreter, snakemake.input.program],
    seed=snakemake.params.seed,
    grid=snakemake.params.grid,
    provenance=Provenance.of_job(snakemake),
)
