"""Rule mechanisms: compile the ion channels of all cell models."""

from spikeline.artifacts import Provenance
from spikeline.config.simulation import CellSettings
from spikeline.log import log_to
from spikeline.simulation.cells.cell_sources import find_cell_models
from spikeline.simulation.cells.mechanisms import compile_mechanisms

log_to(snakemake.log[0])
names = {"train": snakemake.params.models, "test": []}
cells = CellSettings.parse({"source": snakemake.params.source, "folder": snakemake.params.folder, **names})
models = find_cell_models(cells)
folder = snakemake.output[0].removesuffix(".manifest.json")
compile_mechanisms(models.values(), folder, provenance=Provenance.of_job(snakemake))
