"""Settings of SimSort: what its networks are trained on and how, and what the sorter can be told."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from spikeline.config.base import FiniteFloat, Range, Settings, setting
from spikeline.config.training import TrainingSettings

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
    "SceneSettings",
    "SimSortSettings",
    "SimSortTrainingSettings",
]

TRAINED = "trained"
"""Value of the sorter's parameter ``weights`` that stands for the weights this run trains."""


class SceneSettings(Settings):
    """One training scene: a short recording of a few placed units, different in every step."""

    duration_s: FiniteFloat = setting(
        20.0,
        unit="s",
        description="Length of a scene. Placing its cells costs some 15 ms whatever the length, so longer scenes are "
        "cheaper per second and shorter ones more varied.",
        ge=1,
        le=600,
    )
    sampling_rate_hz: FiniteFloat = setting(
        10000.0,
        unit="Hz",
        description="Rate the networks see, the bank's own (SimSort's data sets have 10 kHz too); recordings at other "
        "rates are resampled to it.",
        ge=5000,
        le=50000,
    )
    units: tuple[int, int] = setting(
        (2, 8), description="Bounds of the number of units, so that neither few nor many are a surprise."
    )
    noise_uv: Range = setting(
        (4.0, 16.0),
        unit="uV",
        description="Bounds of the noise's standard deviation, log-uniform: from a quiet tetrode to a bad one.",
    )
    distance_um: Range = setting(
        (10.0, 80.0),
        unit="um",
        description="Bounds of a soma's distance from the nearest contact: wider than the recordings' on both sides.",
    )
    rate_hz: Range = setting(
        (2.0, 30.0),
        unit="Hz",
        description="Bounds of a unit's rate, log-uniform: higher than most cells', so that a scene holds many "
        "overlapping spikes to learn from.",
    )
    burst_fraction: FiniteFloat = setting(
        0.1,
        description="Share of spikes followed by a burst partner, whose amplitude falls as in the bank.",
        ge=0,
        le=0.8,
    )

    band_hz: Range = setting(
        (300.0, 3000.0),
        unit="Hz",
        description="Band that is whitened, SimSort's for simulated recordings: up to 4.5 kHz the packaged cells' "
        "spikes stand out no more, and simulations with little noise up there get spikes like no cell's.",
    )
    colours: list[Literal["white", "pink", "coloured"]] = setting(
        ["white", "pink", "coloured"],
        description="Colours of noise (recordings.*.noise.colour) a scene draws from.",
        min_length=1,
    )
    stretch: Range = setting(
        (0.65, 1.5),
        description="Bounds of the factor by which all spikes of a scene are made longer, log-uniform: the bank's "
        "cells are few, and other cells' spikes narrower and wider.",
    )
    phase_deg: FiniteFloat = setting(
        90.0,
        unit="degrees",
        description="Largest phase by which all frequencies of a scene are turned, besides its sign: spikes with an "
        "edge for a trough, as filters of amplifiers and other cells make them.",
        ge=0,
        le=180,
    )
    fewer_channels: FiniteFloat = setting(
        0.3,
        description="Share of scenes seen through one, two or three of the tetrode's channels, so that recordings with "
        "fewer are nothing new.",
        ge=0,
        le=1,
    )

    @model_validator(mode="after")
    def _units_in_order(self) -> SceneSettings:
        low, high = self.units
        if not 1 <= low <= high <= 100:
            raise ValueError(f"units = [{low}, {high}]: two whole numbers from 1 to 100, the smaller first")
        return self


class SimSortSettings(Settings):
    """The sorter. Nothing here depends on a recording: the defaults are for all."""

    detection_probability: FiniteFloat = setting(
        0.3,
        description="A peak of the detector's probability above this is looked at. Below one half, because what is not "
        "a spike makes no cluster, and a spike missed here is found by matching once its unit is known.",
        gt=0,
        lt=1,
    )
    fewest_spikes: int = setting(
        15,
        description="A unit with fewer spikes is not reported: fewer make no template that matching could trust.",
        ge=2,
    )


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
    least_template_norm: FiniteFloat = setting(
        7.0,
        description="Spikes of units whose mean spike has a smaller norm in whitened traces count neither as spikes nor "
        "as noise; 7 is an amplitude of about 5 times the noise of the band (measured on tetrodes). With 0 each "
        "spike counts, and the best F1 on units above that falls from 0.98 to 0.92 (1,200 steps, training cells).",
        ge=0,
    )

    @model_validator(mode="after")
    def _whole_shares(self) -> DetectionBatchSettings:
        if self.windows % self.scenes_per_batch:
            raise ValueError(
                f"windows = {self.windows} is no multiple of scenes_per_batch = {self.scenes_per_batch}, and every "
                "scene gives as many"
            )
        return self


class DetectorScheduleSettings(TrainingSettings):
    """How the detector is trained."""

    steps: int = setting(
        20_000,
        unit="optimiser steps",
        description="Length of the training; 20,000 take 40 minutes of one core (measured).",
        ge=1,
        le=100_000_000,
    )
    learning_rate: FiniteFloat = setting(
        3e-3,
        description="Highest learning rate, reached after the warm-up; our choice, a small network bears it.",
        gt=0,
        le=10,
    )
    warm_up_steps: int = setting(
        50,
        unit="optimiser steps",
        description="The learning rate rises linearly over these. Counted within steps.",
        ge=0,
    )
    log_every_steps: int = setting(
        50, unit="optimiser steps", description="One row of the log is the mean over this many steps.", ge=1
    )


class DetectorTrainingSettings(Settings):
    """The detector's training."""

    scenes: DetectorSceneSettings = setting(DetectorSceneSettings(), description="What it is trained on.")
    network: DetectorSettings = setting(DetectorSettings(), description="The network.")
    batches: DetectionBatchSettings = setting(DetectionBatchSettings(), description="What one step sees.")
    training: DetectorScheduleSettings = setting(DetectorScheduleSettings(), description="How it is trained.")

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


class IdentifierScheduleSettings(TrainingSettings):
    """How the identifier is trained."""

    steps: int = setting(
        12_000,
        unit="optimiser steps",
        description="Length of the training; 12,000 take 20 minutes of one core (measured).",
        ge=1,
        le=100_000_000,
    )
    learning_rate: FiniteFloat = setting(
        1e-3, description="Highest learning rate, reached after the warm-up; our choice.", gt=0, le=10
    )
    warm_up_steps: int = setting(
        50,
        unit="optimiser steps",
        description="The learning rate rises linearly over these. Counted within steps.",
        ge=0,
    )
    weight_decay: FiniteFloat = setting(
        1e-3,
        description="Pull of the weights towards zero: the bank's cells are few, and to be told from others too.",
        ge=0,
        le=1,
    )
    log_every_steps: int = setting(
        50, unit="optimiser steps", description="One row of the log is the mean over this many steps.", ge=1
    )


class IdentifierTrainingSettings(Settings):
    """The identifier's training."""

    scenes: IdentifierSceneSettings = setting(IdentifierSceneSettings(), description="What it is trained on.")
    network: IdentifierSettings = setting(IdentifierSettings(), description="The network.")
    batches: IdentificationBatchSettings = setting(IdentificationBatchSettings(), description="What one step sees.")
    training: IdentifierScheduleSettings = setting(IdentifierScheduleSettings(), description="How it is trained.")
    settling_batches: int = setting(
        20,
        description="The scatter of spikes within units is measured over this many batches, of scenes that no step has "
        "seen, and made 1 in all directions: the clustering relies on it.",
        ge=1,
        le=10_000,
    )


class SimSortTrainingSettings(Settings):
    """SimSort's networks, trained on the bank; the cells of the test side are never heard."""

    validation_cells: list[str] | None = setting(
        None,
        description="Cell models of the training side that are kept out of the training, to measure the loss on cells "
        "the networks have not met. null: the last of simulation.cells.train, none if it is the only one. []: none.",
    )
    entries: int | None = setting(
        None,
        description="At most this many entries of the bank are used, of as many cell models as there are: they are "
        "held in memory. null: all of the training side.",
        ge=1,
    )
    bank_s: FiniteFloat = setting(
        60.0,
        unit="s",
        description="At most this much of each entry is held in memory: a minute has 60 to 280 spikes of most cells, "
        "which stand for all it would ever fire.",
        ge=1,
        le=36000,
    )
    detector: DetectorTrainingSettings = setting(DetectorTrainingSettings(), description="Says where spikes peak.")
    identifier: IdentifierTrainingSettings = setting(
        IdentifierTrainingSettings(), description="Says which spikes are of one unit."
    )

    @model_validator(mode="after")
    def _one_kind_of_traces(self) -> SimSortTrainingSettings:
        for key in ("sampling_rate_hz", "band_hz"):
            one, other = getattr(self.detector.scenes, key), getattr(self.identifier.scenes, key)
            if one != other:
                raise ValueError(
                    f"detector.scenes.{key} is {one} and identifier.scenes.{key} {other}: both networks see the same "
                    "traces"
                )
        return self
