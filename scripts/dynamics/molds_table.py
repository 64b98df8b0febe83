"""Rule molds_table: the scores of all batches of an experiment."""

from spikeline.artifacts import Provenance
from spikeline.dynamics.experiments.scoring import join_scores
from spikeline.log import log_to

log_to(snakemake.log[0])
join_scores(list(snakemake.input), snakemake.output[0], provenance=Provenance.of_job(snakemake))
