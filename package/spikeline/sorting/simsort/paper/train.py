"""Train the published networks on the bank, through the code that trains the default's (`simsort.train`).

They have settings of their own, ``simsort.paper`` beside ``simsort.detector`` and ``simsort.identifier``, rather than a
switch: the two presets share no key but the bank's, one run can train and compare both on the same entries, and an edit
of one trains nothing of the other again.
"""

from __future__ import annotations

from spikeline.config.simsort.paper import PaperDetectorTrainingSettings, PaperIdentifierTrainingSettings
from spikeline.errors import ConfigError
from spikeline.sorting.simsort.sorter_parameters import PAPER_PRESET
from spikeline.sorting.simsort.train import Network, TrainingJob, train_network

__all__ = ["train_paper_detector_to_file", "train_paper_identifier_to_file"]


def train_paper_detector_to_file(settings: PaperDetectorTrainingSettings, job: TrainingJob) -> None:
    """Train the published detector and write its weights; a killed call goes on as `train_detector_to_file` does.

    Validation is by held-out cells, as everywhere, and not by windows of the trials it is trained on: it is measured
    only, and changes no weight.

    Parameters
    ----------
    settings
        Trials, network, batches and training.
    job
        Files, cells and threads.

    Raises
    ------
    ConfigError
        If the job limits the scenes.
    DataError
        If an entry is of a cell model that is not allowed, none is left to train on, or one is shorter than a trial.
    NumericalError
        If a loss or weight is not finite.
    """
    from spikeline.sorting.simsort.paper.detection_batches import PaperDetectionBatches
    from spikeline.sorting.simsort.paper.detector import PaperDetector
    from spikeline.sorting.simsort.paper.detector_training import PaperDetectorTraining
    from spikeline.sorting.simsort.paper.scenes import PaperScenes

    _refuse_a_limit(job)
    network = Network(
        name="detector",
        settings=settings,
        make=lambda: PaperDetectorTraining(PaperDetector(**settings.network.plain())),
        weights=lambda module: module.detector,
        batches=lambda scenes: PaperDetectionBatches(scenes, **dict(settings.batches)),
        finish=lambda module, source: None,
        preset=PAPER_PRESET,
        scenes=PaperScenes,
    )
    train_network(network, job)


def train_paper_identifier_to_file(settings: PaperIdentifierTrainingSettings, job: TrainingJob) -> None:
    """Train the published identifier and write its weights; otherwise as `train_paper_detector_to_file`."""
    from spikeline.sorting.simsort.paper.identification_batches import PaperIdentificationBatches
    from spikeline.sorting.simsort.paper.identifier import PaperIdentifier
    from spikeline.sorting.simsort.paper.identifier_training import PaperIdentifierTraining
    from spikeline.sorting.simsort.paper.scenes import PaperScenes

    _refuse_a_limit(job)
    network = Network(
        name="identifier",
        settings=settings,
        make=lambda: PaperIdentifierTraining(PaperIdentifier(**settings.network.plain()), settings.svd),
        weights=lambda module: module.identifier,
        batches=lambda scenes: PaperIdentificationBatches(scenes, **dict(settings.batches)),
        finish=lambda module, source: None,
        preset=PAPER_PRESET,
        scenes=PaperScenes,
    )
    train_network(network, job)


def _refuse_a_limit(job: TrainingJob) -> None:
    if job.scenes is not None:
        raise ConfigError(
            f"{job.scenes} different scenes for preset paper",
            "a limit in the settings",
            "set simsort.paper.*.scenes.trials",
        )
