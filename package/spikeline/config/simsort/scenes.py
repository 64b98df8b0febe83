"""What a training scene of either network is drawn from."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import field_validator, model_validator

from spikeline.config.base import FiniteFloat, Range, Settings, setting
from spikeline.config.keys import keys_of
from spikeline.config.recordings import NoiseSettings
from spikeline.config.training import TrainingSettings

__all__ = ["LEAST_SHELL_UM", "SceneSettings", "check_accelerators", "settings_of_job"]

LEAST_SHELL_UM = 10.0
"""A scene's farthest distance is drawn from so far above the nearest one on: room for a few cells at least."""


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
    accelerator: Literal["auto", "cpu", "gpu"] = setting(
        "auto",
        description="Where the traces of scenes are made, and windows cut from them; auto: on the GPU if the network "
        "is trained on one. What is drawn is the same, so the scenes agree to rounding. gpu does not go with "
        "training.accelerator: cpu, whose results are to be the same to the byte.",
    )

    @field_validator("noise_uv", "rate_hz", "stretch")
    @classmethod
    def _above_zero(cls, bounds: tuple[float, float]) -> tuple[float, float]:
        if bounds[0] <= 0:
            raise ValueError(
                f"the lower bound is {bounds[0]:g}, expected one above 0: what lies between is drawn log-uniformly; "
                "raise it"
            )
        return bounds

    @field_validator("noise_uv")
    @classmethod
    def _noise_of_a_recording(cls, bounds: tuple[float, float]) -> tuple[float, float]:
        most = keys_of(NoiseSettings)["level_uv"].bounds["le"]
        if bounds[1] > most:
            raise ValueError(f"the upper bound is {bounds[1]:g}, expected at most {most:g}; lower it")
        return bounds

    @field_validator("distance_um")
    @classmethod
    def _room_for_cells(cls, bounds: tuple[float, float]) -> tuple[float, float]:
        low, high = bounds
        if low < 0:
            raise ValueError(f"the lower bound is {low:g}, expected a distance, from 0 on; raise it")
        if high < low + LEAST_SHELL_UM:
            raise ValueError(
                f"the bounds are {low:g} and {high:g}, expected {LEAST_SHELL_UM:g} um between them at least, so that "
                f"there is room for cells; raise the upper one to {low + LEAST_SHELL_UM:g}"
            )
        return bounds

    @model_validator(mode="after")
    def _band_below_nyquist(self) -> SceneSettings:
        (low, high), nyquist = self.band_hz, self.sampling_rate_hz / 2
        if not 0 < low < high < nyquist:
            raise ValueError(
                f"band_hz = [{low:g}, {high:g}] with sampling_rate_hz = {self.sampling_rate_hz:g}: expected two "
                f"different frequencies above 0 and below half the rate, {nyquist:g}; change band_hz, or raise "
                "sampling_rate_hz"
            )
        return self

    @model_validator(mode="after")
    def _units_in_order(self) -> SceneSettings:
        low, high = self.units
        if not 1 <= low <= high <= 100:
            raise ValueError(f"units = [{low}, {high}]: two whole numbers from 1 to 100, the smaller first")
        return self


def check_accelerators(scenes: SceneSettings, training: TrainingSettings) -> None:
    """Refuse scenes of a GPU for a training on a CPU, with a `ValueError`."""
    if scenes.accelerator == "gpu" and training.accelerator == "cpu":
        raise ValueError(
            "scenes.accelerator = gpu with training.accelerator = cpu: set scenes.accelerator to auto or cpu"
        )


def settings_of_job(network: Settings) -> dict[str, Any]:
    """What a job that trains a network is told, and its card says: where scenes are made only if that was chosen.

    Without it a job is what it was before that key, and is not run again.
    """
    plain = network.plain()
    if plain["scenes"].get("accelerator") == "auto":
        del plain["scenes"]["accelerator"]
    return plain
