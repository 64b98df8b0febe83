"""Rule synthesis_benchmark: one measurement of making recordings."""

from spikeline.artifacts import Provenance
from spikeline.log import log_to
from spikeline.simulation.benchmarks.mearec_over_ours import write_mearec_over_ours
from spikeline.simulation.benchmarks.synthesis_realtime import write_synthesis_realtime

log_to(snakemake.log[0])
entries, seed, provenance = snakemake.input.entries, snakemake.params.seed, Provenance.of_job(snakemake)
if snakemake.wildcards.benchmark == "synthesis_realtime":
    write_synthesis_realtime(snakemake.output[0], entries, seed=seed, provenance=provenance)
else:
    peer = [snakemake.params.interpreter, snakemake.input.peer]
    write_mearec_over_ours(snakemake.output[0], entries, peer, seed=seed, provenance=provenance)
