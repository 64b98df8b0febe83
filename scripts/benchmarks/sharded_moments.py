"""Rule sharded_moments: seconds and memory of moments, shard by shard."""

from spikeline.artifacts import Provenance
from spikeline.dynamics.benchmarks.sharded_moments import write_sharded_moments
from spikeline.log import log_to

log_to(snakemake.log[0])
write_sharded_moments(snakemake.output[0], seed=snakemake.params.seed, provenance=Provenance.of_job(snakemake))
