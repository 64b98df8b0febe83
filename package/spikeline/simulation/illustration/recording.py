"""The tables of the figure ``recording_excerpt``: a stretch of a recording, its true spikes, units and contacts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from jaxtyping import Int

from spikeline.errors import DataError
from spikeline.simulation.illustration.filtered import band_passed, noise_level, spike_waveforms, stretch

if TYPE_CHECKING:
    from spikeinterface import BaseRecording, BaseSorting

__all__ = ["busiest_window", "recording_tables"]


def busiest_window(trains: Mapping[str, Int[np.ndarray, " _spikes"]], n_samples: int, window: int) -> int:
    """Start of the window in which most different units fire; of those the one with most spikes, of those the first."""
    candidates = np.unique(
        np.concatenate([np.asarray(train, dtype=np.int64) for train in trains.values()] or [np.zeros(1, np.int64)])
    )
    if len(candidates) > 2000:
        candidates = candidates[np.linspace(0, len(candidates) - 1, 2000).astype(int)]
    starts = np.clip(np.r_[0, candidates - window // 10], 0, max(0, n_samples - window))
    counts = np.array(
        [np.searchsorted(t, starts + window) - np.searchsorted(t, starts) for t in map(np.sort, trains.values())]
    )
    counts = counts.reshape(len(trains), len(starts))
    different, spikes = (counts > 0).sum(axis=0), counts.sum(axis=0)
    return int(starts[np.lexsort((starts, -spikes, -different))[0]])


def _units(
    recording: BaseRecording, trains: Mapping[str, np.ndarray], facts: pd.DataFrame | None, noise: np.ndarray
) -> pd.DataFrame:
    """Amplitude, SNR and place of each unit; a place that ``facts`` does not give is the amplitudes' centre of mass."""
    rate, places = recording.sampling_frequency, recording.get_channel_locations()
    before, after = round(0.001 * rate), round(0.002 * rate)
    given = (
        pd.DataFrame(index=pd.Index([], dtype=str))
        if facts is None
        else facts.assign(unit_id=facts["unit_id"].astype(str)).set_index("unit_id")
    )
    rows = []
    for unit, train in trains.items():
        mean, _ = spike_waveforms(recording, train, before, after)
        size = np.nan_to_num(np.ptp(mean, axis=0))
        home = int(np.argmax(size))
        weight = size**2 if size.any() else np.ones_like(size)
        x, y = (weight[:, None] * places[:, :2]).sum(axis=0) / weight.sum()
        known = given.loc[unit] if unit in given.index else {}
        snr = float(np.nan_to_num(np.abs(mean[:, home]).max())) / noise[home] if noise[home] > 0 else np.nan
        rows.append(
            {
                "unit_id": unit,
                "cell": str(known.get("cell", "unknown")),
                "x_um": float(known.get("x_um", x)),
                "y_um": float(known.get("y_um", y)),
                "peak_to_peak_uv": size[home],
                "snr": snr,
                "channel": str(recording.channel_ids[home]),
                "n_spikes": len(train),
            }
        )
    return pd.DataFrame(rows)


def recording_tables(
    recording: BaseRecording,
    truth: BaseSorting,
    *,
    unit_facts: pd.DataFrame | None = None,
    band_hz: tuple[float, float] = (300.0, 3000.0),
    window_ms: float = 500.0,
    most_channels: int = 32,
) -> dict[str, pd.DataFrame]:
    """The tables excerpt, spikes, units and contacts of one recording with known spikes.

    Parameters
    ----------
    recording
        A SpikeInterface recording of one segment, with a probe.
    truth
        Its true spikes.
    unit_facts
        Columns unit_id, and where known cell, x_um, y_um (the soma in the plane of the probe). Without it the place is
        the centre of mass of the squared amplitudes and the cell ``unknown``.
    band_hz
        Band of the excerpt, and of the amplitudes and the SNR (largest deflection of the mean spike over the noise's
        median absolute deviation / 0.6745, on the unit's largest channel).
    window_ms
        Length of the excerpt: the window in which most units fire.
    most_channels
        Of a larger probe, the excerpt keeps the channels nearest to the largest units.

    Raises
    ------
    DataError
        If the truth has no units or no spikes, the recording has no contact positions, or the band is empty.
    """
    if not recording.has_channel_location():
        raise DataError(
            "the recording has no contact positions",
            "a recording with a probe",
            "attach one: recording.set_probe(probe)",
        )
    trains = {str(unit): np.asarray(truth.get_unit_spike_train(unit), dtype=np.int64) for unit in truth.unit_ids}
    if not sum(map(len, trains.values())):
        raise DataError("the true sorting has no spikes", "at least one unit that fires", "check the recording's drive")
    filtered = band_passed(recording, band_hz)
    units = _units(filtered, trains, unit_facts, noise_level(filtered))
    rate, places = recording.sampling_frequency, recording.get_channel_locations()
    channels = [str(channel) for channel in recording.channel_ids]
    strongest = units.sort_values("peak_to_peak_uv", ascending=False)["channel"].head(max(1, most_channels // 4))
    near = np.min([np.linalg.norm(places - places[channels.index(home)], axis=1) for home in strongest], axis=0)
    kept = np.sort(np.argsort(near, kind="stable")[:most_channels])
    window = min(round(window_ms * rate / 1000), recording.get_num_samples())
    start = busiest_window(trains, recording.get_num_samples(), window)
    traces = stretch(filtered, start, start + window)[:, kept]
    time = np.round(np.arange(window) * 1000 / rate, 6)
    home = units.set_index("unit_id")["channel"]
    spikes = [
        (np.round((sample - start) * 1000 / rate, 6), unit, home[unit])
        for unit, train in trains.items()
        for sample in train[(train >= start) & (train < start + window)]
    ]
    return {
        "excerpt": pd.DataFrame(
            {
                "time_ms": np.tile(time, len(kept)),
                "channel": np.repeat([channels[i] for i in kept], window),
                "potential_uv": np.round(traces.T.ravel(), 3),
            }
        ),
        "spikes": pd.DataFrame(spikes, columns=["time_ms", "unit_id", "channel"]).sort_values(
            ["time_ms", "unit_id"], ignore_index=True
        ),
        "units": units,
        "contacts": pd.DataFrame({"channel": channels, "x_um": places[:, 0], "y_um": places[:, 1]}),
    }
