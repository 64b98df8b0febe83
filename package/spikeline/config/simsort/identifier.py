"""The identifier: its network, what it is trained on and how."""

from __future__ import annotations

from pydantic import model_validator

from spikeline.config.base import FiniteFloat, Range, Settings, other_default, setting
from spikeline.config.simsort.scenes import SceneSettings, check_accelerators
from spikeline.config.simsort.schedule import ScheduleSettings

__all__ = [
    "IdentificationBatchSettings",
    "IdentifierSceneSettings",
    "IdentifierScheduleSettings",
    "IdentifierSettings",
    "IdentifierTrainingSettings",
]


class IdentifierSceneSettings(SceneSettings):
    """What the identifier is trained on."""

    duration_s: FiniteFloat = setting(
        10.0,
        unit="s",
        description="Length of a scene: long enough for some tens of spikes of most units, and short, because cells "
        "should vary.",
        ge=1,
        le=600,
    )
    units: tuple[int, int] = setting(
        (4, 16),
        description="Bounds of the number of units: many, because each spike is compared with all units of its scene. "
        "There may be more than bank entries: one that serves again stands at another place and fires at other times.",
    )
    distance_um: Range = setting(
        (10.0, 60.0),
        unit="um",
        description="Bounds of a soma's distance from the nearest contact. Nearer than the detector's: spikes that "
        "drown in noise belong to nobody, and teach nothing.",
    )


class IdentifierSettings(Settings):
    """The network that makes a spike a point."""

    dimensions: int = setting(
        16, description="Of the embedding; our choice. Clustering needs more spikes the more there are.", ge=1, le=256
    )
    width: int = setting(384, description="Of the hidden layers; our choice.", ge=1, le=8192)
    layers: int = setting(3, description="Hidden layers; our choice.", ge=1, le=32)


class IdentificationBatchSettings(Settings):
    """What one step of the identifier's training sees."""

    scenes_per_batch: int = setting(8, description="Scenes a batch takes its spikes from.", ge=1, le=1000)
    spikes_per_unit: int = setting(
        32, description="Most spikes of a unit; one that fired less often gives what it has.", ge=4, le=10_000
    )
    steps_per_scene: int = setting(
        32,
        description="Successive steps that take spikes from a scene; to make one takes longer than a step (measured).",
        ge=1,
        le=10_000,
    )


class IdentifierScheduleSettings(ScheduleSettings):
    """How the identifier is trained."""

    steps: int = other_default(ScheduleSettings, "steps", 12_000, "12,000 take 20 minutes of one core (measured).")
    learning_rate: FiniteFloat = other_default(ScheduleSettings, "learning_rate", 1e-3, "Our choice.")
    weight_decay: FiniteFloat = other_default(
        ScheduleSettings,
        "weight_decay",
        1e-3,
        "Stronger here: the bank's cells are few, and to be told from others too.",
    )


class IdentifierTrainingSettings(Settings):
    """The identifier's training."""

    scenes: IdentifierSceneSettings = setting(IdentifierSceneSettings(), description="What it is trained on.")
    network: IdentifierSettings = setting(IdentifierSettings(), description="The network.")
    batches: IdentificationBatchSettings = setting(IdentificationBatchSettings(), description="What one step sees.")
    training: IdentifierScheduleSettings = setting(IdentifierScheduleSettings(), description="How it is trained.")
    settling_batches: int = setting(
        20,
        description="The scatter of spikes within units is measured over this many batches for each number of channels "
        "from 1 to 4, of scenes that no step has seen, and made 1 in all directions: the clustering relies on it.",
        ge=1,
        le=10_000,
    )

    @model_validator(mode="after")
    def _one_place(self) -> IdentifierTrainingSettings:
        check_accelerators(self.scenes, self.training)
        return self
