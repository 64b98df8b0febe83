"""Settings of the simulation stage: cells, their drive, and the bank of membrane currents."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import model_validator

from spikeline.config.base import FiniteFloat, Range, Settings, setting

__all__ = [
    "BankSettings",
    "CellSettings",
    "IntegrationSettings",
    "RheobaseSettings",
    "SimulationSettings",
    "StimulusSettings",
    "VariantSettings",
]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")


class VariantSettings(Settings):
    """Variants of a cell model: the same model with its morphology and channel densities scaled."""

    count: int = setting(
        1,
        description="Variants per cell model; variant v000 is the model as published. 1 by default: each further "
        "one multiplies the bank.",
        ge=1,
        le=1000,
    )
    length_scale: Range = setting(
        (0.85, 1.15),
        description="Bounds of the factor on all lengths (uniform draw per variant). 15 % either way is our "
        "choice: a different neuron of the same class.",
    )
    diameter_scale: Range = setting(
        (0.85, 1.15),
        description="Bounds of the factor on all diameters (uniform draw per variant); our choice, as for lengths.",
    )
    conductance_scale: Range = setting(
        (0.85, 1.15),
        description="Bounds of the factor on each channel's maximal conductance, drawn for every channel type on "
        "its own; our choice, as for lengths.",
    )

    @model_validator(mode="after")
    def _positive(self) -> VariantSettings:
        for name in ("length_scale", "diameter_scale", "conductance_scale"):
            low, high = getattr(self, name)
            if not (low >= 0.5 and high <= 2.0):
                raise ValueError(
                    f"{name} = [{low}, {high}] leaves [0.5, 2], outside which the models stop being neurons"
                )
        return self


class CellSettings(Settings):
    """Which cell models there are, and which of them train and which test."""

    source: Literal["mearec", "bbp_folder", "ball_and_stick"] = setting(
        "mearec",
        description="mearec: the 13 Blue Brain layer-5 models in the MEArec wheel (CC-BY-NC-SA 4.0), the default "
        "because pip brings them; bbp_folder: single-cell packages you downloaded; ball_and_stick: a "
        "Hodgkin-Huxley cell from NEURON's built-ins, for tests.",
    )
    folder: str | None = setting(
        None,
        description="Folder of single-cell packages, one folder per model. Needed with source bbp_folder, and "
        "only there.",
    )
    train: list[str] = setting(
        description="Cell models that training sets are made of. A model is in train or in test, never in both.",
        example=["L5_TTPC1_cADpyr232_1", "L5_NBC_bAC217_1"],
    )
    test: list[str] = setting(
        description="Cell models that test recordings are made of.", example=["L5_STPC_cADpyr232_1", "L5_MC_bAC217_1"]
    )
    expected_count: int | None = setting(
        None,
        description="If given, the number of models train and test must add up to: a model lost in an edit is "
        "then noticed. null: no check.",
        ge=1,
    )
    variants: VariantSettings = setting(VariantSettings(), description="Scaled variants of each model.")

    @model_validator(mode="after")
    def _split_by_cell(self) -> CellSettings:
        both = sorted(set(self.train) & set(self.test))
        if both:
            raise ValueError(f"{', '.join(both)} stand in train and in test; sets are split by cell model")
        names = self.train + self.test
        twice = sorted({n for n in names if names.count(n) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} listed twice")
        if not names:
            raise ValueError("train and test are both empty")
        for name in names:
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name!r} becomes part of a path: use letters, digits, '_', '-' and '.'")
        if self.expected_count is not None and len(names) != self.expected_count:
            raise ValueError(f"train and test hold {len(names)} models, expected_count says {self.expected_count}")
        if (self.source == "bbp_folder") != (self.folder is not None):
            raise ValueError("folder is needed with source bbp_folder, and only there")
        return self

    @property
    def names(self) -> list[str]:
        """All cell models, training ones first."""
        return [*self.train, *self.test]


class IntegrationSettings(Settings):
    """How NEURON integrates a cell."""

    dt_ms: FiniteFloat = setting(
        0.1,
        unit="ms",
        description="Fixed time step; the bank is sampled at 1/dt. 0.1 ms is SimSort's, and coarse: 0.025 ms "
        "makes spikes of a large cell 8 % larger (measured).",
        ge=0.005,
        le=0.1,
    )
    segment_frequency_hz: FiniteFloat = setting(
        1.0,
        unit="Hz",
        description="Frequency of NEURON's lambda rule that sets the number of segments. 1 is SimSort's (coarse, "
        "about 5 times fewer segments); 100 is LFPy's default.",
        ge=0.1,
        le=1000,
    )
    initial_voltage_mv: FiniteFloat = setting(
        -70.0, unit="mV", description="Membrane potential at t = 0; -70 is SimSort's.", ge=-120, le=0
    )
    temperature_c: FiniteFloat = setting(
        34.0,
        unit="degrees C",
        description="Temperature; 34 is that of the Blue Brain models, and SimSort's.",
        ge=0,
        le=45,
    )


class RheobaseSettings(Settings):
    """How the smallest step current that makes a cell fire is found."""

    method: Literal["bisection", "grid"] = setting(
        "bisection",
        description="bisection finds it to the tolerance; grid scans grid_na as SimSort does and falls back to the "
        "first value, which leaves some cells silent.",
    )
    grid_na: list[FiniteFloat] = setting(
        [0.05, 0.10, 0.15, 0.20, 0.25],
        unit="nA",
        description="Step currents of method grid: those of SimSort's released code.",
        min_length=1,
    )
    maximum_na: FiniteFloat = setting(
        2.0,
        unit="nA",
        description="Upper end of the bisection; a cell silent there is an error. 2 nA is our choice, ten times "
        "what the 13 packaged models need (0.01 to 0.21 nA, measured).",
        gt=0,
        le=20,
    )
    tolerance_percent: FiniteFloat = setting(
        10.0,
        unit="%",
        description="Bisection stops when the bracket is this narrow, in percent of its upper end: the noise "
        "current is scaled by the rheobase, so what counts is the relative error. 10 % is finer than "
        "any step of SimSort's grid.",
        ge=0.1,
        le=50,
    )
    minimum_na: FiniteFloat = setting(
        0.005,
        unit="nA",
        description="Lower end of the bisection; a cell that fires there, or without any current, gets this "
        "value. 0.005 nA is half of the least the 13 packaged models need (measured).",
        gt=0,
        le=1,
    )
    step_ms: FiniteFloat = setting(
        1000.0, unit="ms", description="Length of each current step; 1000 is SimSort's.", ge=50, le=10000
    )
    threshold_mv: FiniteFloat = setting(
        0.0,
        unit="mV",
        description="The soma must exceed this for the step to count as a spike; 0 is SimSort's.",
        ge=-60,
        le=40,
    )

    @model_validator(mode="after")
    def _ends_in_order(self) -> RheobaseSettings:
        if self.minimum_na >= self.maximum_na:
            raise ValueError(f"minimum_na = {self.minimum_na:g} is not below maximum_na = {self.maximum_na:g}")
        return self


class StimulusSettings(Settings):
    """The noise current injected into the soma."""

    kind: Literal["pink", "white", "ornstein_uhlenbeck"] = setting(
        "pink", description="pink (1/f power) is SimSort's; white and Ornstein-Uhlenbeck are alternatives."
    )
    amplitude_rheobase: FiniteFloat = setting(
        1.0,
        description="Standard deviation of the current in units of the cell's rheobase (1 is SimSort's).",
        gt=0,
        le=10,
    )
    mean_rheobase: FiniteFloat = setting(
        0.0,
        description="Mean of the current in units of rheobase (0 is SimSort's); raise it to make slow cells fire.",
        ge=-2,
        le=5,
    )
    correlation_ms: FiniteFloat = setting(
        5.0,
        unit="ms",
        description="Correlation time of the Ornstein-Uhlenbeck current; 5 ms is our choice.",
        gt=0,
        le=1000,
    )
    delay_ms: FiniteFloat = setting(
        10.0,
        unit="ms",
        description="Silence before the current starts; 10 ms is the default of SimSort's code.",
        ge=0,
        le=10000,
    )


class BankSettings(Settings):
    """The bank of membrane currents: one entry per cell, variant and seed, low rank, placed anywhere later."""

    duration_s: FiniteFloat = setting(
        60.0,
        unit="s",
        description="Simulated time per entry. A minute gives 60 to 280 spikes at the 1 to 5 Hz that most "
        "packaged models fire with the default drive (measured); SimSort's trials last 600 s.",
        ge=0.2,
        le=36000,
    )
    seeds: int = setting(
        1,
        description="Entries (stimulus seeds) per cell variant. 1 by default: another seed gives other spikes of "
        "the same neuron, another variant a new neuron.",
        ge=1,
        le=10000,
    )
    slice_s: FiniteFloat = setting(
        5.0,
        unit="s",
        description="A long entry is simulated in slices of this length, each compressed as it ends: bounds "
        "memory and what a killed job loses. 5 s of the largest packaged cell are 56 MB before "
        "compression.",
        ge=0.1,
        le=600,
    )
    max_error_uv: FiniteFloat = setting(
        0.5,
        unit="uV",
        description="Largest error the low-rank form may make at any contact of the reference tetrodes, at any "
        "time. 0.5 uV is our choice, a sixteenth of the default noise.",
        gt=0,
        le=50,
    )
    rms_error_percent: FiniteFloat = setting(
        0.4,
        unit="%",
        description="Largest relative RMS error the low-rank form may make at any reference tetrode, over the "
        "whole entry. 0.4 % is our choice; it decides the rank, 29 on average over the packaged "
        "models (measured).",
        gt=0,
        le=50,
    )
    reference_distance_um: FiniteFloat = setting(
        20.0,
        unit="um",
        description="Nearest distance from the soma at which the reference tetrodes sit: half of them around the "
        "soma, half beside segments all over the cell. 20 um is also how near units are placed by "
        "default.",
        ge=5,
        le=1000,
    )
    conductivity_s_per_m: FiniteFloat = setting(
        0.3, unit="S/m", description="Extracellular conductivity, LFPy's default for cortex.", gt=0, le=10
    )
    spike_threshold_mv: FiniteFloat = setting(
        -20.0,
        unit="mV",
        description="A spike is an upward crossing of this by the soma; -20 is SimSort's.",
        ge=-60,
        le=30,
    )


class SimulationSettings(Settings):
    """From cells to the bank of membrane currents."""

    cells: CellSettings = setting(description="Cell models, their variants and their split.")
    integration: IntegrationSettings = setting(IntegrationSettings(), description="How NEURON integrates a cell.")
    rheobase: RheobaseSettings = setting(
        RheobaseSettings(), description="The smallest step current that makes a cell fire."
    )
    stimulus: StimulusSettings = setting(StimulusSettings(), description="The noise current injected into the soma.")
    bank: BankSettings = setting(BankSettings(), description="The bank of membrane currents.")
