"""Rule summary: the headline numbers."""

from spikeline.artifacts import Provenance, write_json
from spikeline.figures import summarise
from spikeline.log import log_to

log_to(snakemake.log[0])
summary = summarise(
    snakemake.input.bank,
    snakemake.input.get("scores") or None,
    snakemake.input.get("counts") or None,
    [*snakemake.input.parts, *snakemake.params.benchmarks],
    real=zip(snakemake.input.real_scores, snakemake.input.real_counts, strict=True),
    detection_csv=snakemake.input.get("detection") or None,
    identification_csv=snakemake.input.get("identification") or None,
    **snakemake.params.compared,
)
write_json(snakemake.output[0], summary, schema="summary", provenance=Provenance.of_job(snakemake))
