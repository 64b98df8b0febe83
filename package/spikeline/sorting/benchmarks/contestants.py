"""The sorters that are measured, and what each is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from spikeline.config.recordings import RecordingSettings
from spikeline.config.sorting import SorterSettings
from spikeline.sorting.run_elsewhere import parameters_elsewhere

__all__ = ["CONTESTANTS", "OURS", "Contestant", "parameters_of"]

OURS = "simsort"


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
        What it is told besides its documented settings for the probe.
    """

    sorter: str
    elsewhere: bool = False
    parameters: Mapping[str, Any] = field(default_factory=dict)


CONTESTANTS: Mapping[str, Contestant] = {
    contestant.sorter: contestant
    for contestant in (
        Contestant(OURS, parameters={"device": "cpu"}),
        Contestant("kilosort4", elsewhere=True, parameters={"torch_device": "cpu"}),
        Contestant("mountainsort5", elsewhere=True),
        Contestant("spykingcircus2"),
        Contestant("tridesclous2"),
        Contestant("lupin"),
        Contestant("simple"),
    )
}
"""By name; the order is that of the tables."""


def parameters_of(contestant: Contestant, recording: RecordingSettings, threads: int, seed: int) -> dict[str, Any]:
    """What ``run_sorter`` is given, as plain values: nothing is tuned to the recording, and all run on the CPU.

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
    from spikeline.simulation.recordings.probes import make_probe
    from spikeline.sorting.parameters import sorter_parameters

    settings = SorterSettings(sorter=contestant.sorter, parameters=dict(contestant.parameters))
    make_parameters = parameters_elsewhere if contestant.elsewhere else sorter_parameters
    places = make_probe(recording.probe).contact_positions
    return make_parameters(settings, places, recording.sampling_rate_hz, threads, seed)
