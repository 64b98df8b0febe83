"""Rule study_training: one of SimSort's networks, trained as a variant of a study says."""

from spikeline.config.simsort import DetectorTrainingSettings, IdentifierTrainingSettings
from spikeline.log import log_to
from spikeline.sorting.simsort.train import TrainingJob, train_detector_to_file, train_identifier_to_file

log_to(snakemake.log[0])
train, settings = {
    "detector": (train_detector_to_file, DetectorTrainingSettings),
    "identifier": (train_identifier_to_file, IdentifierTrainingSettings),
}[snakemake.wildcards.network]
how = snakemake.params.how
train(
    settings.parse(how["training"]),
    TrainingJob.of_job(snakemake, how),
)
