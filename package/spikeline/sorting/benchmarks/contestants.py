"""The sorters that are measured, each with the settings its own documentation gives for the probe at hand.

Nothing is tuned to the recording: what is set here follows from the number of channels, their distance and the sampling
rate alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from spikeline.config.recordings import RecordingSettings
from spikeline.config.sorting import SorterSettings

__all__ = ["CONTESTANTS", "Contestant", "OURS", "parameters_of"]

OURS = "simsort"
_TETRODE_CHANNELS = 4


@dataclass(frozen=True)
class Contestant:
    """One sorter.

    Parameters
    ----------
    sorter
        SpikeInterface's name.
    elsewhere
        Whether it is installed in the peers' environment, not beside spikeline.
    parameters
        What differs from its defaults, given the recording; of one that is installed here, only what
        `spikeline.sorting.parameters` does not set already.
    """

    sorter: str
    elsewhere: bool = False
    parameters: Callable[[RecordingSettings], Mapping[str, Any]] = field(default=lambda recording: {})


def _kilosort4(recording: RecordingSettings) -> dict[str, Any]:
    """For a tetrode, by Kilosort4's documentation (parameters.rst, hardware.rst), as of version 4.1.7.

    Notes
    -----
    ``nearest_chans`` cannot exceed the number of channels, ``nearest_templates`` should not on a small probe;
    ``nblocks = 0``: drift estimates are not accurate below 64 channels; ``dminx``: the lateral distance of contacts;
    ``nt``: 2 ms and a sample; ``batch_size``: around 10 s where channels are very few.
    ``do_CAR``: to be left out where the common reference is gone already. A simulated recording has none, and the
    median of a tetrode's four channels takes the spikes along: in a minute of this recording Kilosort4 then finds
    fewer of them than it needs to go on.
    Everything else, thresholds too, is left as it is.
    """
    return {
        "nearest_chans": _TETRODE_CHANNELS,
        "nearest_templates": _TETRODE_CHANNELS,
        "nblocks": 0,
        "do_correction": False,
        "do_CAR": False,
        "dminx": recording.probe.pitch_um,
        "nt": 1 + 2 * round(1e-3 * recording.sampling_rate_hz),
        "batch_size": round(10 * recording.sampling_rate_hz),
        "torch_device": "cpu",
    }


def _mountainsort5(recording: RecordingSettings) -> dict[str, Any]:
    """Scheme 2 and threshold 5.5: the documented defaults.

    Notes
    -----
    The band's upper edge has to lie below the Nyquist frequency; it is brought to 0.9 of it, as for every other sorter.
    """
    highest = 0.9 * recording.sampling_rate_hz / 2
    return {"scheme": "2", "detect_threshold": 5.5, "freq_max": min(6000.0, highest)}


CONTESTANTS: Mapping[str, Contestant] = {
    contestant.sorter: contestant
    for contestant in (
        Contestant(OURS, parameters=lambda recording: {"device": "cpu"}),
        Contestant("kilosort4", elsewhere=True, parameters=_kilosort4),
        Contestant("mountainsort5", elsewhere=True, parameters=_mountainsort5),
        Contestant("spykingcircus2"),
        Contestant("tridesclous2"),
        Contestant("lupin"),
        Contestant("simple"),
    )
}
"""By name; the order is that of the tables."""

# How the sorters that read SpikeInterface's job keywords as parameters of their own are given their threads.
_JOB = {"pool_engine": "thread", "chunk_duration": "1s", "progress_bar": False, "mp_context": None}


def parameters_of(contestant: Contestant, recording: RecordingSettings, threads: int, seed: int) -> dict[str, Any]:
    """What ``run_sorter`` is given, as plain values.

    Parameters
    ----------
    contestant
        The sorter.
    recording
        What it sorts.
    threads
        Threads of its work on chunks.
    seed
        For the draws it can be given one for.
    """
    from spikeline.sorting.parameters import sorter_parameters

    given = dict(contestant.parameters(recording))
    if contestant.elsewhere:
        seeds = {"whitening_seed": seed} if contestant.sorter == "mountainsort5" else {}
        return {**given, **seeds, "n_jobs": threads, **_JOB}
    settings = SorterSettings(sorter=contestant.sorter, parameters=given)
    return sorter_parameters(settings, recording.sampling_rate_hz, threads, seed)
