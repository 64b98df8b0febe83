"""Training of the published networks (``preset: paper``): trials, batches and schedules of SimSort's released code.

Where the released code leaves a number open, or our bank is too short for it, the description says so.
"""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from spikeline.config.base import FiniteFloat, Range, Settings, other_default, setting
from spikeline.config.simsort.schedule import PaperScheduleSettings

__all__ = [
    "PaperDetectionBatchSettings",
    "PaperDetectorScheduleSettings",
    "PaperDetectorSettings",
    "PaperDetectorTrainingSettings",
    "PaperIdentificationBatchSettings",
    "PaperIdentifierSceneSettings",
    "PaperIdentifierScheduleSettings",
    "PaperIdentifierSettings",
    "PaperIdentifierTrainingSettings",
    "PaperSceneSettings",
    "PaperTrainingSettings",
]


class PaperSceneSettings(Settings):
    """One trial: stretches of the bank as simulated, summed, without noise."""

    duration_s: FiniteFloat = setting(
        20.0,
        unit="s",
        description="Length of a trial, no longer than an entry of the bank and than simsort.bank_s. 20 s fits every "
        "tier; SimSort's detector is trained on 60 s of each.",
        ge=1,
        le=600,
    )
    sampling_rate_hz: FiniteFloat = setting(
        10000.0, unit="Hz", description="Rate the networks are trained at, SimSort's.", ge=5000, le=50000
    )
    band_hz: Range = setting(
        (300.0, 3000.0), unit="Hz", description="Band-pass of the detector's trials, SimSort's for simulated ones."
    )
    units: int = setting(5, description="Cells in a trial, none of them twice; 5 in SimSort's data sets.", ge=1, le=100)
    trials: int = setting(
        8192,
        description="Number of different trials; they come again after that. 8192 is in the name of SimSort's released "
        "weights.",
        ge=1,
    )
    extent_um: FiniteFloat = setting(
        10.0,
        unit="um",
        description="Tetrode and somata lie anywhere within plus or minus this times the number of units on each axis. "
        "10 is SimSort's for the tetrode; for the somata it is inferred, its settings are not public.",
        gt=0,
        le=500,
    )
    soma_placement: Literal["uniform", "origin"] = setting(
        "uniform",
        description="uniform: each soma has a place of its own; origin: all somata of a trial lie in one point and the "
        "tetrode alone is moved, as in the first public version of SimSort's simulator.",
    )
    labels: Literal["edges", "peaks"] = setting(
        "edges",
        description="edges: as in SimSort, spikes of a unit that follow each other within 6 ms are one, because they "
        "are read from the edges of 6-ms marks; peaks: every spike counts.",
    )


class PaperDetectorSettings(Settings):
    """The published transformer, one token per sample."""

    n_layers: int = setting(
        4, description="Encoder layers; 4 in the released configuration, 1 in the published script.", ge=1, le=64
    )
    dropout: FiniteFloat = setting(
        0.2, description="Of the layers; 0.2 in the released configuration, 0 in the published script.", ge=0, lt=1
    )
    width: int = setting(256, description="Of a token; SimSort's.", ge=2, le=8192)
    n_heads: int = setting(4, description="Attention heads; SimSort's.", ge=1, le=64)
    feedforward: int = setting(1024, description="Hidden width of the layers; SimSort's.", ge=1, le=65536)

    @model_validator(mode="after")
    def _divides(self) -> PaperDetectorSettings:
        if self.width % self.n_heads or self.width % 2:
            raise ValueError(
                f"width = {self.width} with n_heads = {self.n_heads}: an even number that the heads share evenly"
            )
        return self


class PaperDetectionBatchSettings(Settings):
    """What one step of the published detector's training sees."""

    windows: int = setting(
        32,
        description="Windows per batch, a multiple of scenes_per_batch; 32 in the released configuration, 12 in the "
        "published script.",
        ge=1,
        le=100_000,
    )
    samples: int = setting(2000, description="Length of a window in samples; SimSort's.", ge=64, le=6000)
    scenes_per_batch: int = setting(
        8, description="Trials a batch is cut from: our choice, SimSort's windows come from all of them.", ge=1, le=1000
    )
    steps_per_scene: int = setting(
        4, description="Successive steps that cut from a trial; our choice.", ge=1, le=10_000
    )
    measured_scenes: int = setting(
        16,
        description="Mean and standard deviation of each channel, and how rare spikes are, are measured over this many "
        "trials. SimSort measures them over its whole set; ours is made as it is needed.",
        ge=1,
        le=10_000,
    )
    augmentation: bool = setting(
        True, description="Gain, noise and shifts on some channels of most windows, as published."
    )

    @model_validator(mode="after")
    def _whole_shares(self) -> PaperDetectionBatchSettings:
        if self.windows % self.scenes_per_batch:
            raise ValueError(
                f"windows = {self.windows} is no multiple of scenes_per_batch = {self.scenes_per_batch}, and every "
                "trial gives as many"
            )
        return self


class PaperDetectorScheduleSettings(PaperScheduleSettings):
    """How the published detector is trained."""

    steps: int = other_default(
        PaperScheduleSettings,
        "steps",
        41_000,
        "SimSort's is 200 epochs, of how many windows is not known; 41,000 steps are 200 times one window of four "
        "fifths of 8192 trials. For a GPU: a step takes a core minutes.",
    )
    learning_rate: FiniteFloat = other_default(PaperScheduleSettings, "learning_rate", 5e-4, "5e-4 is SimSort's.")
    warm_up_steps: int = other_default(PaperScheduleSettings, "warm_up_steps", 4000, "4000 is SimSort's.")


class PaperDetectorTrainingSettings(Settings):
    """The published detector's training."""

    scenes: PaperSceneSettings = setting(PaperSceneSettings(), description="The trials it is trained on.")
    network: PaperDetectorSettings = setting(PaperDetectorSettings(), description="The network.")
    batches: PaperDetectionBatchSettings = setting(PaperDetectionBatchSettings(), description="What one step sees.")
    training: PaperDetectorScheduleSettings = setting(PaperDetectorScheduleSettings(), description="How it is trained.")

    @model_validator(mode="after")
    def _windows_fit(self) -> PaperDetectorTrainingSettings:
        n_samples = round(self.scenes.duration_s * self.scenes.sampling_rate_hz)
        if self.batches.samples > n_samples:
            raise ValueError(f"batches.samples = {self.batches.samples}, and a trial has {n_samples} samples")
        return self


class PaperIdentifierSceneSettings(PaperSceneSettings):
    """One trial of the identifier's set."""

    spikes_per_unit: int = setting(
        20,
        description="The first so many spikes of each unit are used; a trial with a unit that fires less often is "
        "drawn again, which keeps slow cells out of the training, as in SimSort. It takes 400 of 600 s; 20 of "
        "20 s ask for one and a half times that rate, which cells driven near their rheobase reach.",
        ge=2,
    )


class PaperIdentifierSettings(Settings):
    """The published recurrent network."""

    hidden: int = setting(512, description="Length of an embedding; SimSort's.", ge=1, le=8192)


class PaperIdentificationBatchSettings(Settings):
    """What one step of the published identifier's training sees."""

    triplets: int = setting(
        256,
        description="Anchors per batch, each with a positive and a negative; 256 in the released configuration, 128 in "
        "the published script.",
        ge=8,
        le=100_000,
    )
    scenes_per_batch: int = setting(
        16,
        description="Trials a batch takes its spikes from, so that most negatives come from another one; our choice, "
        "SimSort's come from all.",
        ge=1,
        le=1000,
    )
    steps_per_scene: int = setting(
        16, description="Successive steps that take spikes from a trial; our choice.", ge=1, le=10_000
    )
    band_pass: bool = setting(
        False,
        description="Cut snippets from band-passed trials. false: from the trials as they are; SimSort's released code "
        "names no band-pass for these.",
    )
    low_pass: bool = setting(
        True, description="First-order low-pass at 1 kHz on the snippets, as published (and not when sorting)."
    )
    augmentation: bool = setting(
        True, description="Shifts, gain and noise on some channels of half of the snippets, as published."
    )


class PaperIdentifierScheduleSettings(PaperScheduleSettings):
    """How the published identifier is trained."""

    steps: int = other_default(
        PaperScheduleSettings,
        "steps",
        5_000,
        "5,000 are our choice, some hours of one core. SimSort's is 8 epochs of batches of 256; of how many triplets "
        "is not known.",
    )
    learning_rate: FiniteFloat = other_default(
        PaperScheduleSettings,
        "learning_rate",
        1e-3,
        "1e-3 in the released configuration, 1e-4 in the published script.",
    )
    schedule: Literal["half_cosine", "constant"] = other_default(
        PaperScheduleSettings,
        "schedule",
        "constant",
        "constant here: SimSort halves the rate every 10 epochs, and its released configuration ends after 8.",
    )


class PaperIdentifierTrainingSettings(Settings):
    """The published identifier's training."""

    scenes: PaperIdentifierSceneSettings = setting(
        PaperIdentifierSceneSettings(), description="The trials it is trained on."
    )
    network: PaperIdentifierSettings = setting(PaperIdentifierSettings(), description="The network.")
    svd: Literal["batch", "fixed_basis", "off"] = setting(
        "batch",
        description="Denoising of a batch's snippets before they are embedded. batch: by the 8 largest singular "
        "vectors of the batch itself, as published; fixed_basis: by those of the first batch, kept with the "
        "weights; off.",
    )
    batches: PaperIdentificationBatchSettings = setting(
        PaperIdentificationBatchSettings(), description="What one step sees."
    )
    training: PaperIdentifierScheduleSettings = setting(
        PaperIdentifierScheduleSettings(), description="How it is trained."
    )


class PaperTrainingSettings(Settings):
    """The networks of SimSort's preset paper, trained on the same entries of the bank as the default's."""

    detector: PaperDetectorTrainingSettings = setting(
        PaperDetectorTrainingSettings(), description="Says which samples are near a spike."
    )
    identifier: PaperIdentifierTrainingSettings = setting(
        PaperIdentifierTrainingSettings(), description="Says which spikes are of one unit."
    )

    @model_validator(mode="after")
    def _one_kind_of_traces(self) -> PaperTrainingSettings:
        for key in ("sampling_rate_hz", "band_hz"):
            one, other = getattr(self.detector.scenes, key), getattr(self.identifier.scenes, key)
            if one != other:
                raise ValueError(
                    f"paper.detector.scenes.{key} is {one} and paper.identifier.scenes.{key} {other}: both networks "
                    "are of one kind of traces"
                )
        return self
