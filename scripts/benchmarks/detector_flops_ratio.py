"""Rule detector_flops_ratio: operations per sample of the published detector and ours."""

from spikeline.artifacts import Provenance
from spikeline.log import log_to
from spikeline.sorting.benchmarks.detector_flops_ratio import write_detector_flops_ratio

log_to(snakemake.log[0])
write_detector_flops_ratio(snakemake.output[0], provenance=Provenance.of_job(snakemake))
