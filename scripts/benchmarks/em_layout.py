"""Rule em_layout: how dynamax's work is best laid out."""

from spikeline.artifacts import Provenance
from spikeline.dynamics.benchmarks.dynamax_layouts import write_em_layout
from spikeline.dynamics.benchmarks.em_problems import EM_PROBLEMS
from spikeline.log import log_to

log_to(snakemake.log[0])
write_em_layout(
    snakemake.output[0],
    [snakemake.params.interpreter, snakemake.input.program],
    next(problem for problem in EM_PROBLEMS.values() if problem.shape == snakemake.wildcards.shape),
    seed=snakemake.params.seed,
    provenance=Provenance.of_job(snakemake),
)
