"""Rule scores: the scores of all recordings in one table."""

import pandas as pd

from spikeline.artifacts import Provenance, read_csv, write_csv
from spikeline.log import log_to

log_to(snakemake.log[0])
for name in ("scores", "counts"):
    table = pd.concat([read_csv(path) for path in snakemake.input[name]], ignore_index=True)
    write_csv(snakemake.output[name], table, provenance=Provenance.of_job(snakemake))
