"""Rule tuning: SimSort's networks, tuned on the first seconds of a recording."""

from spikeline.artifacts import Provenance
from spikeline.config.studies import TuningSettings
from spikeline.log import log_to
from spikeline.sorting.simsort.studies.steps import made_or_shipped
from spikeline.sorting.simsort.studies.tuning import TuningJob, tune_to_files

log_to(snakemake.log[0])
networks = ("detector", "identifier")
tune_to_files(
    TuningSettings.parse(snakemake.params.tuning),
    TuningJob(
        recording_folder=snakemake.input.recording.removesuffix(".manifest.json"),
        labelled_s=snakemake.params.labelled_s,
        start=made_or_shipped(snakemake.input),
        outputs={network: snakemake.output[network] for network in networks},
        log_csvs={network: snakemake.output[f"{network}_log"] for network in networks},
        seed=snakemake.params.seed,
        filter_hz=tuple(snakemake.params.filter_hz),
        true_time=snakemake.params.true_time,
        threads=snakemake.params.torch_threads,
        provenance=Provenance.of_job(snakemake),
    ),
)
