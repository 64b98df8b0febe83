"""Rule simsort_paper_identifier: the identifier of preset paper, trained on the bank."""

from spikeline.artifacts import Provenance
from spikeline.config.simsort import PaperIdentifierTrainingSettings
from spikeline.log import log_to
from spikeline.sorting.simsort.paper.train import train_paper_identifier_to_file
from spikeline.sorting.simsort.train import TrainingJob

log_to(snakemake.log[0])
train_paper_identifier_to_file(
    PaperIdentifierTrainingSettings.parse(snakemake.params.training),
    TrainingJob(
        bank_files=snakemake.input,
        output=snakemake.output.weights,
        log_csv=snakemake.output.log,
        seed=snakemake.params.seed,
        allowed_cells=snakemake.params.allowed_cells,
        validation_cells=snakemake.params.validation_cells,
        bank_s=snakemake.params.bank_s,
        threads=snakemake.params.torch_threads,
        batch_threads=snakemake.threads,
        provenance=Provenance.of_job(snakemake),
    ),
)
