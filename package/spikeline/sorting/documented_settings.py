"""What sorters are told beyond their defaults: what their own documentation says for the probe at hand.

Nothing is tuned to a recording: what is set here follows from where the contacts are and the sampling rate alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float

__all__ = ["documented_settings"]

_CHANNELS_FOR_REFERENCE = 32
_CHANNELS_FOR_DRIFT = 64
_SAME_DEPTH_UM = 1.0
_HIGHEST_BAND_EDGE = 0.9


def documented_settings(
    sorter: str, locations_um: Float[np.ndarray, "channels dimensions"], sampling_rate_hz: float
) -> dict[str, Any]:
    """What differs from the defaults of Kilosort4 and MountainSort5; nothing for any other sorter.

    The component sorters of SpikeInterface are set by `spikeline.sorting.parameters`.

    Parameters
    ----------
    sorter
        SpikeInterface's name.
    locations_um
        Contact positions; the second axis is depth.
    sampling_rate_hz
        Of the recording.
    """
    if sorter == "kilosort4":
        return _kilosort4(np.asarray(locations_um, np.float64), sampling_rate_hz)
    if sorter == "mountainsort5":
        return _mountainsort5(sampling_rate_hz)
    return {}


def _kilosort4(locations_um: Float[np.ndarray, "channels dimensions"], sampling_rate_hz: float) -> dict[str, Any]:
    """By Kilosort4's documentation (parameters.rst, hardware.rst), as of version 4.1.7.

    Notes
    -----
    ``dminx``: the lateral distance of contacts; ``nt``: 2 ms and a sample; ``nearest_chans`` (10) cannot exceed the
    number of channels, ``nearest_templates`` (100) should not on a small probe; ``nblocks = 0``: drift estimates are
    not accurate below 64 channels; ``batch_size``: around 10 s where channels are very few.
    ``do_CAR``: to be left out where the common reference is gone already. On a tetrode its median takes the spikes
    along: in a minute of a simulated one, which has no common reference, Kilosort4 then finds fewer of them than it
    needs to go on. From 32 channels on it is left as it is.
    Everything else, thresholds too, is left as it is.
    """
    channels = len(locations_um)
    settings: dict[str, Any] = {"nt": 1 + 2 * round(1e-3 * sampling_rate_hz)}
    if (apart := _lateral_distance_um(locations_um)) is not None:
        settings["dminx"] = apart
    if channels < 10:
        settings |= {"nearest_chans": channels, "batch_size": round(10 * sampling_rate_hz)}
    if channels <= _CHANNELS_FOR_DRIFT:
        settings["nearest_templates"] = channels
    if channels < _CHANNELS_FOR_DRIFT:
        settings |= {"nblocks": 0, "do_correction": False}
    if channels < _CHANNELS_FOR_REFERENCE:
        settings["do_CAR"] = False
    return settings


def _lateral_distance_um(locations_um: Float[np.ndarray, "channels dimensions"]) -> float | None:
    """Median distance to the nearest contact at the same depth; where none is, distance of columns; None of one."""
    across, depth = locations_um[:, 0], locations_um[:, 1]
    apart = np.abs(across[:, None] - across[None])
    beside = (apart > 1e-3) & (np.abs(depth[:, None] - depth[None]) < _SAME_DEPTH_UM)
    if beside.any():
        return float(np.median(np.where(beside, apart, np.inf).min(axis=1)[beside.any(axis=1)]).round(3))
    columns = np.unique(across.round(3))
    return float(np.median(np.diff(columns)).round(3)) if len(columns) > 1 else None


def _mountainsort5(sampling_rate_hz: float) -> dict[str, Any]:
    """Scheme 2 and threshold 5.5: the documented defaults.

    Notes
    -----
    The band's upper edge has to lie below the Nyquist frequency; it is brought to 0.9 of it, as for every other sorter.
    """
    highest = _HIGHEST_BAND_EDGE * sampling_rate_hz / 2
    return {"scheme": "2", "detect_threshold": 5.5, "freq_max": min(6000.0, highest)}
