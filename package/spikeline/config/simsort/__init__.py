"""Settings of SimSort: what its networks are trained on and how, and what the sorter can be told."""

from spikeline.config.simsort.detector import (
    DetectionBatchSettings,
    DetectorSceneSettings,
    DetectorScheduleSettings,
    DetectorSettings,
    DetectorTrainingSettings,
)
from spikeline.config.simsort.identifier import (
    IdentificationBatchSettings,
    IdentifierSceneSettings,
    IdentifierScheduleSettings,
    IdentifierSettings,
    IdentifierTrainingSettings,
)
from spikeline.config.simsort.paper import (
    PaperDetectorTrainingSettings,
    PaperIdentifierTrainingSettings,
    PaperTrainingSettings,
)
from spikeline.config.simsort.paper_sorter import PaperSortingSettings
from spikeline.config.simsort.scenes import SceneSettings, settings_of_job
from spikeline.config.simsort.sorter import TRAINED, SimSortSettings
from spikeline.config.simsort.training import SimSortTrainingSettings

__all__ = [
    "TRAINED",
    "DetectionBatchSettings",
    "DetectorSceneSettings",
    "DetectorScheduleSettings",
    "DetectorSettings",
    "DetectorTrainingSettings",
    "IdentificationBatchSettings",
    "IdentifierSceneSettings",
    "IdentifierScheduleSettings",
    "IdentifierSettings",
    "IdentifierTrainingSettings",
    "PaperDetectorTrainingSettings",
    "PaperIdentifierTrainingSettings",
    "PaperSortingSettings",
    "PaperTrainingSettings",
    "SceneSettings",
    "SimSortSettings",
    "SimSortTrainingSettings",
    "settings_of_job",
]
