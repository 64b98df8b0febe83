"""What a sorter is told: the user's parameters checked, and what a small recording needs filled in."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float

from spikeline.config.sorting import SorterSettings
from spikeline.errors import ConfigError
from spikeline.sorting.catalogue import RESERVED, refuse_unknown_parameters, refuse_unknown_sorter
from spikeline.sorting.documented_settings import documented_settings

__all__ = ["merged", "sorter_parameters"]

# Of the Nyquist frequency: a filter must have its upper edge below it, and SpikeInterface's defaults are made for 30
# kHz.
_HIGHEST_BAND_EDGE = 0.9


def sorter_parameters(
    settings: SorterSettings,
    locations_um: Float[np.ndarray, "channels dimensions"],
    sampling_rate_hz: float,
    threads: int,
    seed: int,
) -> dict[str, Any]:
    """Parameters for ``run_sorter``.

    The sorter's defaults are kept but for these, each of which the user may set otherwise:

    - The upper edge of the band is brought below the Nyquist frequency (to 0.9 of it) where the default lies above:
      at 10 kHz all four component sorters fail on their default of 6000-7000 Hz.
    - Kilosort4 and MountainSort5 are told what `documented_settings` says.
    - Preprocessed traces are not cached in shared memory, which the sorters never hand back, nor are intermediate
      arrays kept.

    Parameters
    ----------
    settings
        The sorter and what the user sets; a block such as ``filtering`` is merged key by key with the sorter's
        default block.
    locations_um
        Contact positions.
    sampling_rate_hz
        Of the recording.
    threads
        Workers; threads of this process, never processes, so that no pool is nested in a workflow's.
    seed
        For every random draw of the sorter.

    Raises
    ------
    ConfigError
        If the sorter or a parameter is unknown, or a band edge that the user sets lies above the Nyquist frequency.
    """
    from spikeinterface.sorters import available_sorters, get_default_sorter_params

    name = settings.sorter
    refuse_unknown_sorter(name, available_sorters())
    defaults = get_default_sorter_params(name)
    refuse_unknown_parameters(name, settings.parameters, defaults)
    remedies = _remedies(name, defaults, locations_um, sampling_rate_hz)
    parameters = merged(remedies, settings.parameters)
    _refuse_high_band(name, {**defaults, **parameters}, sampling_rate_hz)
    if "job_kwargs" in defaults:
        parameters["job_kwargs"] = {
            "n_jobs": threads,
            "pool_engine": "thread",
            "chunk_duration": "1s",
            "progress_bar": False,
            "mp_context": None,
        }
    if "seed" in defaults:
        parameters["seed"] = seed
    return parameters


def merged(base: dict[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """A sorter's parameters with those given in their place; blocks key by key."""
    result = copy.deepcopy(base)
    for key, value in given.items():
        both = isinstance(value, Mapping) and isinstance(result.get(key), dict)
        result[key] = merged(result[key], value) if both else copy.deepcopy(value)
    return result


def _remedies(
    name: str, defaults: Mapping[str, Any], locations_um: np.ndarray, sampling_rate_hz: float
) -> dict[str, Any]:
    """What differs from the sorter's defaults, in whole blocks so that a user's block can be merged into them."""
    result: dict[str, Any] = {
        key: copy.deepcopy(value) for key, value in defaults.items() if isinstance(value, dict) and key not in RESERVED
    }
    highest = _HIGHEST_BAND_EDGE * sampling_rate_hz / 2
    if isinstance(defaults.get("freq_max"), (int, float)):
        result["freq_max"] = min(float(defaults["freq_max"]), highest)
    if isinstance(defaults.get("filtering"), dict) and "freq_max" in defaults["filtering"]:
        result["filtering"]["freq_max"] = min(float(defaults["filtering"]["freq_max"]), highest)
    if name in ("tridesclous2", "lupin"):
        result |= {"cache_preprocessing_mode": "no-cache", "save_array": False}
    if name == "spykingcircus2":
        result |= {"cache_preprocessing": {"mode": "no-cache"}}
    if name == "simple":
        # HDBSCAN would start processes of its own for more than 16384 events.
        result["clusterer_kwargs"] = {"core_dist_n_jobs": 1}
    return result | documented_settings(name, locations_um, sampling_rate_hz)


def _refuse_high_band(name: str, parameters: Mapping[str, Any], sampling_rate_hz: float) -> None:
    block = parameters.get("filtering")
    edge = block.get("freq_max") if isinstance(block, Mapping) else parameters.get("freq_max")
    if isinstance(edge, (int, float)) and edge >= sampling_rate_hz / 2:
        raise ConfigError(
            f"sorter {name!r}: freq_max = {edge:g} Hz for a recording at {sampling_rate_hz:g} Hz",
            f"a band below the Nyquist frequency, {sampling_rate_hz / 2:g} Hz",
            "lower it, or leave it out to have it fitted to the recording",
        )
