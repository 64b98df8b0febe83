"""What each layout of files holds, and what an entry of the data-set table has to say about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["LAYOUTS", "READERS", "RECORDING_READERS", "SESSION_READERS", "SNIPPET_READERS", "Layout"]


@dataclass(frozen=True)
class Layout:
    """One layout of files.

    Parameters
    ----------
    holds
        ``recording``: traces a sorter can use; ``snippets``: waveforms already cut out; ``session``: sorted units and
        behaviour; ``other``: none of these, for stages to come.
    folder
        Whether an entry's path is a folder.
    truth
        Whether true spikes are part of the layout.
    truth_file
        The file in the folder that holds them, where a folder without it is complete as a recording.
    needs
        Keys that an entry must give, because the files do not say.
    """

    holds: Literal["recording", "snippets", "session", "other"]
    folder: bool = False
    truth: bool = False
    truth_file: str = ""
    needs: tuple[str, ...] = ()


LAYOUTS: dict[str, Layout] = {
    "spikeinterface": Layout("recording", folder=True),
    "tetrode_npz": Layout("recording", needs=("sampling_rate_hz", "contact_distance_um", "unit")),
    "quiroga_mat": Layout("recording", truth=True, needs=("unit",)),
    "quiroga_npz": Layout("recording", truth=True, needs=("unit",)),
    "spikeforest_mda": Layout("recording", folder=True, truth=True, truth_file="firings_true.mda", needs=("unit",)),
    "ibl": Layout("recording", folder=True),
    "hc1": Layout(
        "recording",
        folder=True,
        truth=True,
        needs=("contact_distance_um", "extracellular_channels", "intracellular_channel"),
    ),
    "quiroga_snippets_npz": Layout("snippets"),
    "binned_session_npz": Layout("session"),
    "area2_bump_nwb": Layout("session"),
    "pmd1_mat": Layout("session"),
    "linear_track_npz": Layout("other"),
    "viewed_digits_mat": Layout("other"),
    "idx": Layout("other"),
}
"""Every layout the table may name; the functions that read them are in `spikeline.data.readers`."""

READERS = tuple(LAYOUTS)
RECORDING_READERS = tuple(name for name, layout in LAYOUTS.items() if layout.holds == "recording")
SNIPPET_READERS = tuple(name for name, layout in LAYOUTS.items() if layout.holds == "snippets")
SESSION_READERS = tuple(name for name, layout in LAYOUTS.items() if layout.holds == "session")
