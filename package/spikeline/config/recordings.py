"""Settings of one synthetic recording: probe, units, drive, drift, noise."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from spikeline.config.base import FiniteFloat, Range, Settings, setting

__all__ = [
    "DriftSettings",
    "NoiseSettings",
    "PlacementSettings",
    "ProbeSettings",
    "RecordingSettings",
    "SpikeTrainSettings",
]


class ProbeSettings(Settings):
    """The electrode."""

    kind: Literal["tetrode", "grid32", "neuropixels", "linear", "file"] = setting(
        "tetrode",
        description="tetrode: 2 x 2 contacts, SimSort's; grid32: 32 channels in two staggered columns; "
        "neuropixels: the staggered layout of Neuropixels 1.0; linear: one column; file: any "
        "probeinterface JSON file.",
    )
    channels: int | None = setting(
        None,
        description="Number of contacts of neuropixels (null: 384, which Neuropixels 1.0 records at once) or "
        "linear (null: 16, our choice).",
        ge=1,
        le=5000,
    )
    pitch_um: FiniteFloat = setting(
        13.0,
        unit="um",
        description="Distance of neighbouring contacts of tetrode, grid32 and linear; 13 is that of SimSort's tetrode.",
        gt=0,
        le=500,
    )
    file: str | None = setting(None, description="A probeinterface JSON file. Needed with kind file, and only there.")

    def n_channels(self) -> int | None:
        """Number of contacts, as far as the settings tell: None with a file."""
        fixed = {"tetrode": 4, "grid32": 32, "neuropixels": 384, "linear": 16, "file": None}
        return self.channels or fixed[self.kind]


class PlacementSettings(Settings):
    """Where the units of interest lie around the probe."""

    distance_um: Range = setting(
        (20.0, 60.0),
        unit="um",
        description="Bounds of the distance from a soma to the nearest contact. From 20 um on the bank's error is "
        "held, from 60 um on lies the background.",
    )
    minimum_separation_um: FiniteFloat = setting(
        15.0,
        unit="um",
        description="Least distance between two somata: cell bodies do not overlap. 15 um is about the diameter "
        "of one (MEArec keeps 25 um).",
        ge=0,
        le=500,
    )
    rotation: Literal["uniform", "upright", "fixed"] = setting(
        "upright",
        description="uniform: any 3-D rotation; upright: any azimuth and a tilt of at most 15 degrees, as cells "
        "lie in cortex and as MEArec turns pyramidal cells; fixed: as in the file (SimSort).",
    )
    minimum_amplitude_uv: FiniteFloat = setting(
        30.0,
        unit="uV",
        description="A placement whose mean spike is smaller than this peak-to-peak on every contact is drawn "
        "again: too small to be a unit of interest. 30 uV is MEArec's bound, there of the trough.",
        ge=0,
        le=1000,
    )


class SpikeTrainSettings(Settings):
    """Spike trains of the events drive."""

    rate_hz: Range = setting(
        (2.0, 15.0),
        unit="Hz",
        description="Bounds of a unit's mean firing rate (log-uniform). Our choice; it spans MEArec's means, 5 Hz "
        "for excitatory and 15 Hz for inhibitory cells.",
    )
    refractory_ms: FiniteFloat = setting(
        3.0,
        unit="ms",
        description="No two spikes of a unit lie closer. 3 ms is our choice (MEArec: 2 ms).",
        ge=0.5,
        le=50,
    )
    irregularity: FiniteFloat = setting(
        1.0,
        description="Coefficient of variation of the intervals (gamma), the refractory period left out: 1 is "
        "Poisson, the plainest assumption, and 0 a clock.",
        gt=0,
        le=2,
    )
    burst_fraction: FiniteFloat = setting(
        0.0,
        description="Share of spikes followed by a burst partner 4-8 ms later. 0 by default: bursts make sorting "
        "harder and are asked for.",
        ge=0,
        le=0.8,
    )
    snippet_ms: Range = setting(
        (-3.0, 5.0),
        unit="ms",
        description="Window of the bank's current that is pasted around each spike; spikes with another one "
        "inside are not used. [-3, 5] holds a whole spike and both fades (MEArec cuts [-2, 5]).",
    )


class DriftSettings(Settings):
    """Motion of the tissue along the probe."""

    kind: Literal["none", "slow", "jumps", "slow_and_jumps"] = setting(
        "none",
        description="slow: a sine; jumps: steps at random times. none by default: drift makes sorting harder and "
        "is asked for.",
    )
    amplitude_um: FiniteFloat = setting(
        10.0,
        unit="um",
        description="Half the peak-to-peak excursion of the slow drift. 10 um is our choice, somewhat less than "
        "the tetrode's pitch; SpikeForest's hybrid recordings have 20 um.",
        ge=0,
        le=500,
    )
    period_s: FiniteFloat = setting(
        60.0,
        unit="s",
        description="Period of the slow drift. A recording of the default length sees one whole period; "
        "SpikeForest's hybrid recordings drift ten times slower (600 s).",
        gt=0,
        le=36000,
    )
    jump_um: FiniteFloat = setting(
        10.0,
        unit="um",
        description="Standard deviation of a jump; our choice, the size of the slow drift.",
        ge=0,
        le=500,
    )
    jump_interval_s: FiniteFloat = setting(
        30.0,
        unit="s",
        description="Mean time between jumps; our choice, two in a recording of the default length.",
        gt=0,
        le=36000,
    )
    step_um: FiniteFloat = setting(
        1.0,
        unit="um",
        description="The field is computed at displacements this far apart and interpolated linearly between "
        "them. 1 um is our choice: small beside the distance of any contact, and few enough fields to "
        "hold in memory.",
        gt=0,
        le=20,
    )


class NoiseSettings(Settings):
    """Everything in a recording that is not a unit of interest."""

    level_uv: FiniteFloat = setting(
        8.0,
        unit="uV",
        description="Standard deviation of the additive noise, background units included. 8 uV is our choice "
        "(MEArec: 10 uV).",
        ge=0,
        le=1000,
    )
    colour: Literal["white", "pink", "coloured"] = setting(
        "coloured",
        description="white; pink: 1/f power; coloured: a resonance at 300 Hz as in MEArec, the usual look of "
        "filtered cortical noise.",
    )
    background_units: int = setting(
        20,
        description="Far units (60-200 um away) whose summed activity is part of the noise. 20 is our choice, for "
        "speed: MEArec's far neurons are 300.",
        ge=0,
        le=2000,
    )
    background_share: FiniteFloat = setting(
        0.5,
        description="Largest share of the noise variance that the background units are scaled to; half is our choice.",
        ge=0,
        le=1,
    )
    background_peak_uv: FiniteFloat = setting(
        10.0,
        unit="uV",
        description="No mean spike of a background unit is scaled beyond this on any contact (MEArec's bound too): a "
        "larger one would be a unit to sort. Noise fills what is then missing from the background's share.",
        gt=0,
        le=1000,
    )


class RecordingSettings(Settings):
    """One synthetic recording with known spikes."""

    probe: ProbeSettings = setting(ProbeSettings(), description="The electrode.")
    split: Literal["train", "test"] = setting(
        "test",
        description="Cell models the units come from. test by default, because recordings are sorted and scored: "
        "test models are never trained on.",
    )
    units: int = setting(
        5, description="Number of units of interest; 5 is the number of cells in SimSort's trials.", ge=1, le=5000
    )
    duration_s: FiniteFloat = setting(
        60.0,
        unit="s",
        description="Length of the recording. 60 s is as long as an entry of the bank by default, and so the "
        "longest a continuous drive can be.",
        ge=1,
        le=360000,
    )
    sampling_rate_hz: FiniteFloat = setting(
        10000.0,
        unit="Hz",
        description="Sampling rate; the bank's currents are resampled to it. 10 kHz is SimSort's, and the rate of "
        "a bank with the default time step.",
        ge=1000,
        le=100000,
    )
    drive: Literal["continuous", "events"] = setting(
        "continuous",
        description="continuous: stretches of the bank as simulated, as in SimSort; events: spikes of the bank "
        "pasted at prescribed times, for recordings longer than the bank.",
    )
    bank_s: FiniteFloat = setting(
        120.0,
        unit="s",
        description="At most this much of each bank entry is held in memory for pasted spikes and for the "
        "background: two minutes hold hundreds of spikes. Units of a continuous drive need as much as "
        "the recording is long.",
        ge=1,
        le=36000,
    )
    placement: PlacementSettings = setting(PlacementSettings(), description="Where the units lie.")
    spike_trains: SpikeTrainSettings = setting(SpikeTrainSettings(), description="Spike trains (events drive only).")
    drift: DriftSettings = setting(DriftSettings(), description="Motion of the tissue.")
    noise: NoiseSettings = setting(NoiseSettings(), description="Noise and background.")

    @model_validator(mode="after")
    def _possible(self) -> RecordingSettings:
        if (self.probe.kind == "file") != (self.probe.file is not None):
            raise ValueError("probe.file is needed with probe.kind file, and only there")
        return self
