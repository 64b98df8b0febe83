"""Rule detection_scores: the detection scores of all recordings in one table."""

from spikeline.artifacts import Provenance
from spikeline.log import log_to
from spikeline.sorting.simsort.evaluation.steps import join_tables

log_to(snakemake.log[0])
for name, path in snakemake.output.items():
    join_tables(snakemake.input[name], path, provenance=Provenance.of_job(snakemake))
