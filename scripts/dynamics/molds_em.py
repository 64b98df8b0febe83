"""Rule molds_em: EM from one kind of start."""

from spikeline.artifacts import Provenance
from spikeline.config.molds import EMSettings
from spikeline.dynamics.experiments.fits import fits_to_file
from spikeline.log import log_to

log_to(snakemake.log[0])
fits_to_file(
    snakemake.input.data,
    snakemake.input.starts,
    snakemake.output[0],
    snakemake.wildcards.start,
    EMSettings.parse(snakemake.params.em),
    provenance=Provenance.of_job(snakemake),
)
