"""Rule simsort_paper_detector: the detector of preset paper, trained on the bank."""

from spikeline.config.simsort import PaperDetectorTrainingSettings
from spikeline.log import log_to
from spikeline.sorting.simsort.paper.train import train_paper_detector_to_file
from spikeline.sorting.simsort.train import TrainingJob

log_to(snakemake.log[0])
train_paper_detector_to_file(
    PaperDetectorTrainingSettings.parse(snakemake.params.training),
    TrainingJob.of_job(snakemake),
)
