"""Rule bank_tables: what the figures of the bank are drawn from."""

from spikeline.artifacts import Provenance, write_csv
from spikeline.log import log_to
from spikeline.simulation.illustration.bank_tables import bank_tables

log_to(snakemake.log[0])
tables = bank_tables(
    snakemake.input,
    split_of=snakemake.params.split,
    reference_distance_um=snakemake.params.reference_distance_um,
    conductivity_s_per_m=snakemake.params.conductivity_s_per_m,
)
for name, table in tables.items():
    write_csv(snakemake.output[name], table, provenance=Provenance.of_job(snakemake))
