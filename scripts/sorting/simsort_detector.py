"""Rule simsort_detector: SimSort's detector, trained on the bank."""

from spikeline.config.simsort import DetectorTrainingSettings
from spikeline.log import log_to
from spikeline.sorting.simsort.train import TrainingJob, train_detector_to_file

log_to(snakemake.log[0])
train_detector_to_file(
    DetectorTrainingSettings.parse(snakemake.params.training),
    TrainingJob.of_job(snakemake),
)
