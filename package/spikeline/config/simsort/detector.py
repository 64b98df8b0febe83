"""The detector: its network, what it is trained on and how."""

from __future__ import annotations

from pydantic import model_validator

from spikeline.config.base import FiniteFloat, Settings, other_default, setting
from spikeline.config.simsort.scenes import SceneSettings, check_accelerators
from spikeline.config.simsort.schedule import ScheduleSettings

__all__ = [
    "DetectionBatchSettings",
    "DetectorSceneSettings",
    "DetectorScheduleSettings",
    "DetectorSettings",
    "DetectorTrainingSettings",
]


class DetectorSceneSettings(SceneSettings):
    """What the detector is trained on."""

    duration_s: FiniteFloat = setting(
        10.0,
        unit="s",
        description="Length of a scene; short, because a batch is cut from few of them and cells should vary.",
        ge=1,
        le=600,
    )
    units: tuple[int, int] = setting(
        (2, 10),
        description="Bounds of the number of units. There may be more than bank entries: one that serves again stands "
        "at another place and fires at other times.",
    )


class DetectorSettings(Settings):
    """The network that says where spikes peak."""

    width: int = setting(32, description="Features per sample; our choice.", ge=1, le=1024)
    taps: int = setting(5, description="Length of the convolutions in samples; an odd number.", ge=3, le=63)
    dilations: list[int] = setting(
        [1, 1, 2, 4, 2, 1],
        description="One layer each. With 5 taps these see 51 samples, 5 ms at 10 kHz: a spike and what surrounds it.",
        min_length=1,
    )

    @model_validator(mode="after")
    def _symmetric(self) -> DetectorSettings:
        if self.taps % 2 == 0:
            raise ValueError(f"taps = {self.taps}: an even number has no middle; take {self.taps + 1}")
        if min(self.dilations) < 1:
            raise ValueError(f"dilations = {self.dilations}: whole numbers from 1 on")
        return self


class DetectionBatchSettings(Settings):
    """What one step of the detector's training sees."""

    windows: int = setting(48, description="Windows per batch; a multiple of scenes_per_batch.", ge=1, le=100_000)
    samples: int = setting(
        512,
        description="Length of a window in samples: ten times what the network sees at once.",
        ge=64,
        le=20_000,
    )
    scenes_per_batch: int = setting(
        4, description="Scenes a batch is cut from, so that one odd scene is not a whole step.", ge=1, le=1000
    )
    steps_per_scene: int = setting(
        16,
        description="Successive steps that cut from a scene; to make one takes as long as a step (measured, one core).",
        ge=1,
        le=10_000,
    )
    least_template_norms: list[FiniteFloat] = setting(
        [5.5, 6.5, 7.3, 8.0],
        description="Spikes of units whose mean spike has a smaller norm in whitened traces count neither as spikes "
        "nor as noise, or the network calls every bump of the noise the spike that it might be: one bound each for "
        "scenes seen on 1, 2, 3 and 4 channels. An amplitude of 5 times the noise of the band has a norm of about 6.0, "
        "6.6, 7.0 and 7.3 there (medians, training cells).",
        min_length=4,
        max_length=4,
    )

    @model_validator(mode="after")
    def _norms_from_zero(self) -> DetectionBatchSettings:
        if min(self.least_template_norms) < 0:
            raise ValueError(f"least_template_norms = {self.least_template_norms}: norms are not below 0")
        return self

    @model_validator(mode="after")
    def _whole_shares(self) -> DetectionBatchSettings:
        if self.windows % self.scenes_per_batch:
            raise ValueError(
                f"windows = {self.windows} is no multiple of scenes_per_batch = {self.scenes_per_batch}, and every "
                "scene gives as many"
            )
        return self


class DetectorScheduleSettings(ScheduleSettings):
    """How the detector is trained."""

    steps: int = other_default(ScheduleSettings, "steps", 20_000, "20,000 take 40 minutes of one core (measured).")
    learning_rate: FiniteFloat = other_default(
        ScheduleSettings, "learning_rate", 3e-3, "Our choice, a small network bears it."
    )


class DetectorTrainingSettings(Settings):
    """The detector's training."""

    scenes: DetectorSceneSettings = setting(DetectorSceneSettings(), description="What it is trained on.")
    network: DetectorSettings = setting(DetectorSettings(), description="The network.")
    batches: DetectionBatchSettings = setting(DetectionBatchSettings(), description="What one step sees.")
    training: DetectorScheduleSettings = setting(DetectorScheduleSettings(), description="How it is trained.")

    @model_validator(mode="after")
    def _one_place(self) -> DetectorTrainingSettings:
        check_accelerators(self.scenes, self.training)
        return self

    @model_validator(mode="after")
    def _windows_fit(self) -> DetectorTrainingSettings:
        shortest = self.scenes.duration_s * self.scenes.sampling_rate_hz * self.scenes.stretch[0]
        if self.batches.samples >= shortest:
            raise ValueError(
                f"batches.samples = {self.batches.samples}, and the shortest scene has {shortest:g} samples"
            )
        seen = 7 + sum(dilation * (self.network.taps - 1) for dilation in self.network.dilations)
        if self.batches.samples <= seen:
            raise ValueError(
                f"batches.samples = {self.batches.samples}, and every sample of the output depends on {seen} "
                "(network.taps and network.dilations): nothing is left of a window without its edges"
            )
        return self
