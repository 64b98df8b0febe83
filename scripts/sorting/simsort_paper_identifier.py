"""Rule simsort_paper_identifier: the identifier of preset paper, trained on the bank."""

from spikeline.config.simsort import PaperIdentifierTrainingSettings
from spikeline.log import log_to
from spikeline.sorting.simsort.paper.train import train_paper_identifier_to_file
from spikeline.sorting.simsort.train import TrainingJob

log_to(snakemake.log[0])
train_paper_identifier_to_file(
    PaperIdentifierTrainingSettings.parse(snakemake.params.training),
    TrainingJob.of_job(snakemake),
)
