"""Rules study_table and tuning_table: all scores of a study below each other."""

from spikeline.artifacts import Provenance
from spikeline.log import log_to
from spikeline.sorting.simsort.studies.steps import join_parts

log_to(snakemake.log[0])
join_parts(snakemake.params.parts, snakemake.output[0], provenance=Provenance.of_job(snakemake))
