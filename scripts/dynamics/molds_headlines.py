"""Rule molds_headlines: headline numbers of the experiments."""

from spikeline.artifacts import Provenance, write_json
from spikeline.figures.molds_headlines import molds_headlines
from spikeline.log import log_to

log_to(snakemake.log[0])
headlines = molds_headlines(list(snakemake.input.smd_rtpm), list(snakemake.input.complex))
write_json(snakemake.output[0], headlines, schema="summary-part", provenance=Provenance.of_job(snakemake))
