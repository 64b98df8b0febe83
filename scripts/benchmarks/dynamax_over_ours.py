"""Rule dynamax_over_ours: how many times faster an iteration of EM is than on dynamax's smoother, on all problems."""

from spikeline.artifacts import Provenance
from spikeline.dynamics.benchmarks.dynamax_over_ours import write_dynamax_over_ours
from spikeline.log import log_to

log_to(snakemake.log[0])
write_dynamax_over_ours(
    snakemake.output[0],
    snakemake.input,
    seed=snakemake.params.seed,
    provenance=Provenance.of_job(snakemake),
)
