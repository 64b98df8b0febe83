"""Rule em_comparison: seconds of an iteration of EM on one problem."""

from spikeline.artifacts import Provenance
from spikeline.dynamics.benchmarks.dynamax_over_ours import write_em_comparison
from spikeline.dynamics.benchmarks.em_problems import em_problem
from spikeline.log import log_to

log_to(snakemake.log[0])
write_em_comparison(
    snakemake.output[0],
    [snakemake.params.interpreter, snakemake.input.program],
    snakemake.input.layout,
    em_problem(snakemake.wildcards.problem),
    seed=snakemake.params.seed,
    provenance=Provenance.of_job(snakemake),
)
