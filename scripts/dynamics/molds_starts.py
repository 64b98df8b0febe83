"""Rule molds_starts: mixtures that EM starts from."""

from spikeline.artifacts import Provenance
from spikeline.config.molds import StartSettings
from spikeline.dynamics.experiments.starting import starts_to_file
from spikeline.log import log_to

log_to(snakemake.log[0])
params = snakemake.params
starts_to_file(
    snakemake.input.data,
    snakemake.input.get("components") or None,
    snakemake.output[0],
    params.starts,
    stage=tuple(params.stage),
    settings=StartSettings.parse(params.start),
    random_starts=params.random_starts,
    experiment=snakemake.wildcards.experiment,
    seed=params.seed,
    provenance=Provenance.of_job(snakemake),
)
