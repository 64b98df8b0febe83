"""Rule benchmark_headlines: the headline numbers of all benchmarks."""

from spikeline.artifacts import Provenance
from spikeline.log import log_to
from spikeline.simulation.benchmarks.report import write_headlines

log_to(snakemake.log[0])
write_headlines(snakemake.output[0], snakemake.input, provenance=Provenance.of_job(snakemake))
