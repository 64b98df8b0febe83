"""Rule molds_random_ratio: the best of random starts in the time of Tensor-EM."""

from spikeline.artifacts import Provenance
from spikeline.dynamics.experiments.random_ratio import write_random_ratio
from spikeline.log import log_to

log_to(snakemake.log[0])
write_random_ratio(snakemake.output[0], seed=snakemake.params.seed, provenance=Provenance.of_job(snakemake))
