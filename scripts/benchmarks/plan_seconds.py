"""Rule plan_seconds: a dry run of the paper tier."""

import sys
from pathlib import Path

from spikeline.artifacts import Provenance
from spikeline.log import log_to
from spikeline.simulation.benchmarks.planning import write_plan_seconds

log_to(snakemake.log[0])
command = [
    *(sys.executable, "-m", "snakemake", "--snakefile", str(snakemake.params.snakefile)),
    *("--configfile", str(Path(snakemake.input.configuration).resolve())),
    *("--workflow-profile", "none", "--dry-run", "--cores", "1", "--nocolor"),
]
write_plan_seconds(
    snakemake.output[0], command, shards=snakemake.params.shards, provenance=Provenance.of_job(snakemake)
)
