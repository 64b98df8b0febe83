"""The tables of the figure ``real_recording``: what each sorter found in a recording whose true spikes nobody knows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from spikeline.data.recording_unit import unit_of_samples
from spikeline.errors import DataError
from spikeline.simulation.illustration.filtered import band_passed, spike_waveforms, stretch
from spikeline.simulation.illustration.recording import busiest_window

if TYPE_CHECKING:
    from spikeinterface import BaseRecording, BaseSorting

__all__ = ["real_recording_tables"]


def _amplitudes(filtered: BaseRecording, train: np.ndarray, channel: int, block: int = 300_000) -> np.ndarray:
    """Value of one channel at each spike: the most negative sample within 0.3 ms."""
    reach, total = round(0.0003 * filtered.sampling_frequency), filtered.get_num_samples()
    found = np.full(len(train), np.nan)
    for start in range(0, total, block):
        of_block = np.flatnonzero((train >= start) & (train < start + block))
        if len(of_block):
            low, high = max(0, start - reach), min(total, start + block + reach)
            trace = stretch(filtered, low, high)[:, channel]
            at = train[of_block, None] + np.arange(-reach, reach + 1) - low
            found[of_block] = trace[np.clip(at, 0, len(trace) - 1)].min(axis=1)
    return found


def real_recording_tables(
    recording: BaseRecording,
    sortings: Mapping[str, BaseSorting],
    *,
    band_hz: tuple[float, float] = (300.0, 3000.0),
    window_ms: float = 400.0,
    most_units: int = 8,
) -> dict[str, pd.DataFrame]:
    """The tables waveforms, excerpt and spikes of one real recording.

    Parameters
    ----------
    recording
        A SpikeInterface recording of one segment and few channels.
    sortings
        Sorter's name -> what it found; an empty sorting is fine.
    band_hz
        Band of everything shown.
    window_ms
        Length of the excerpt: the window in which most units of all sorters fire.
    most_units
        Units per sorter whose waveforms are kept: those with most spikes.

    Returns
    -------
    dict
        ``waveforms`` (sorter, unit_id, channel, time_ms, mean, sd), ``excerpt`` (time_ms, channel, value, unit) and
        ``spikes`` (sorter, unit_id, time_s, amplitude); values in uV where the recording knows its gain, else in what
        its samples are (``adc``: steps of the converter, or ``arbitrary``).

    Raises
    ------
    DataError
        If no sorting was given or the band is empty.
    """
    if not sortings:
        raise DataError("no sorting was given", "at least one", "name a sorter in sorting.sorters")
    filtered = band_passed(recording, band_hz)
    rate = recording.sampling_frequency
    unit_of_value = unit_of_samples(recording)
    before, after = round(0.001 * rate), round(0.002 * rate)
    time = np.round(np.arange(-before, after) * 1000 / rate, 6)
    channels = [str(channel) for channel in recording.channel_ids]
    waveforms, spikes, all_trains = [], [], {}
    for sorter, sorting in sorted(sortings.items()):
        trains = {
            str(unit): np.asarray(sorting.get_unit_spike_train(unit), dtype=np.int64) for unit in sorting.unit_ids
        }
        all_trains.update({f"{sorter}/{unit}": train for unit, train in trains.items()})
        by_count = sorted(trains, key=lambda unit, of=trains: (-len(of[unit]), len(unit), unit))
        for unit in by_count:
            mean, deviation = spike_waveforms(filtered, trains[unit], before, after)
            home = int(np.argmax(np.nan_to_num(np.ptp(mean, axis=0))))
            amplitude = np.round(_amplitudes(filtered, trains[unit], home), 3)
            spikes.append(
                pd.DataFrame({"sorter": sorter, "unit_id": unit, "time_s": trains[unit] / rate, "amplitude": amplitude})
            )
            if unit in by_count[:most_units] and np.isfinite(mean).all():
                waveforms += [
                    pd.DataFrame(
                        {
                            "sorter": sorter,
                            "unit_id": unit,
                            "channel": name,
                            "time_ms": time,
                            "mean": mean[:, i],
                            "sd": deviation[:, i],
                        }
                    )
                    for i, name in enumerate(channels)
                ]
    window = min(round(window_ms * rate / 1000), recording.get_num_samples())
    start = busiest_window(all_trains, recording.get_num_samples(), window)
    traces = stretch(filtered, start, start + window)
    # The excerpt keeps the recording's own clock, so that the spikes' times are its times.
    clock = np.round((start + np.arange(window)) * 1000 / rate, 6)
    excerpt = pd.DataFrame(
        {
            "time_ms": np.tile(clock, len(channels)),
            "channel": np.repeat(channels, window),
            "value": np.round(traces.T.ravel(), 3),
            "unit": unit_of_value,
        }
    )
    empty_waves = pd.DataFrame(columns=["sorter", "unit_id", "channel", "time_ms", "mean", "sd"])
    empty_spikes = pd.DataFrame(columns=["sorter", "unit_id", "time_s", "amplitude"])
    return {
        "waveforms": pd.concat(waveforms, ignore_index=True) if waveforms else empty_waves,
        "excerpt": excerpt,
        "spikes": pd.concat(spikes, ignore_index=True) if spikes else empty_spikes,
    }
