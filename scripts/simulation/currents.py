"""Rule currents: one entry of the bank of membrane currents."""

from spikeline.artifacts import Provenance
from spikeline.config.simulation import BankSettings, CellSettings, IntegrationSettings, StimulusSettings
from spikeline.log import log_to
from spikeline.simulation.bank.currents import simulate_bank_entry
from spikeline.simulation.cells.cell_sources import find_cell_models

log_to(snakemake.log[0])
cells = CellSettings.parse(snakemake.params.cell)
simulate_bank_entry(
    find_cell_models(cells)[snakemake.wildcards.cell],
    snakemake.wildcards.variant,
    int(snakemake.wildcards.seed),
    snakemake.input.rheobase,
    snakemake.output[0],
    integration=IntegrationSettings.parse(snakemake.params.integration),
    stimulus=StimulusSettings.parse(snakemake.params.stimulus),
    bank=BankSettings.parse(snakemake.params.bank),
    variants=cells.variants,
    mechanisms=snakemake.input.mechanisms.removesuffix(".manifest.json"),
    root_seed=snakemake.params.seed,
    provenance=Provenance.of_job(snakemake),
)
