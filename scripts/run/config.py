"""Rule config: the resolved settings as an artefact."""

from spikeline.config.load import parse_run
from spikeline.config.resolved import write_resolved
from spikeline.log import log_to

log_to(snakemake.log[0])
write_resolved(snakemake.output[0], parse_run(snakemake.params.settings))
