"""Rule mechanisms: compile the ion channels of all cell models."""

from spikeline.artifacts import Provenance
from spikeline.config.load import parse_run
from spikeline.log import log_to
from spikeline.simulation.cells.cell_sources import find_cell_models
from spikeline.simulation.cells.mechanisms import compile_mechanisms

log_to(snakemake.log[0])
# Which channels there are stands in params, as checksums; which models bring them is no reason to compile again
models = find_cell_models(parse_run(snakemake.config).simulation.cells)
folder = snakemake.output[0].removesuffix(".manifest.json")
compile_mechanisms(models.values(), folder, provenance=Provenance.of_job(snakemake))
