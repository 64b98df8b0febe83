"""Rule simsort_identifier: SimSort's identifier, trained on the bank."""

from spikeline.config.simsort import IdentifierTrainingSettings
from spikeline.log import log_to
from spikeline.sorting.simsort.train import TrainingJob, train_identifier_to_file

log_to(snakemake.log[0])
train_identifier_to_file(
    IdentifierTrainingSettings.parse(snakemake.params.training),
    TrainingJob.of_job(snakemake),
)
