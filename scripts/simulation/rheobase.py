"""Rule rheobase: the smallest step current that makes a cell variant fire."""

from spikeline.artifacts import Provenance
from spikeline.config.simulation import CellSettings, IntegrationSettings, RheobaseSettings
from spikeline.log import log_to
from spikeline.simulation.bank.rheobase import measure_rheobase
from spikeline.simulation.cells.cell_sources import find_cell_models

log_to(snakemake.log[0])
cells = CellSettings.parse(snakemake.params.cell)
measure_rheobase(
    find_cell_models(cells)[snakemake.wildcards.cell],
    snakemake.wildcards.variant,
    snakemake.output[0],
    integration=IntegrationSettings.parse(snakemake.params.integration),
    rheobase=RheobaseSettings.parse(snakemake.params.rheobase),
    variants=cells.variants,
    mechanisms=snakemake.input.mechanisms.removesuffix(".manifest.json"),
    root_seed=snakemake.params.seed,
    provenance=Provenance.of_job(snakemake),
)
