"""Rules detection_scores and identification_scores: tables of single recordings, one below the other."""

import pandas as pd

from spikeline.artifacts import Provenance, read_csv, write_csv
from spikeline.log import log_to

log_to(snakemake.log[0])
for name, path in snakemake.output.items():
    table = pd.concat([read_csv(part) for part in snakemake.input[name]], ignore_index=True)
    write_csv(path, table, provenance=Provenance.of_job(snakemake))
