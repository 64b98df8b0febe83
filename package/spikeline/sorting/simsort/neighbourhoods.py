"""Groups of up to four channels that cover a probe: each is what the networks see, a tetrode."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int64

from spikeline.sorting.simsort.detector import GROUP

if TYPE_CHECKING:
    import spikeinterface as si

__all__ = ["Neighbourhoods", "make_neighbourhoods", "neighbourhoods_of"]

_RADIUS_UM = 60.0


@dataclass(frozen=True)
class Neighbourhoods:
    """How a probe is cut into groups.

    Parameters
    ----------
    groups
        Channels of each group.
    home
        The group each channel's own spikes belong to: where it lies most in the middle.
    surroundings
        Of each group: all channels on which its spikes could be as large as on its own.
    """

    groups: list[Int64[np.ndarray, " _"]]
    home: Int64[np.ndarray, " channels"]
    surroundings: list[Int64[np.ndarray, " _"]]


def neighbourhoods_of(recording: si.BaseRecording) -> Neighbourhoods:
    """Groups of a recording's channels; channels that SpikeInterface knows to be of different groups share none.

    Its property ``group`` tells apart probes, shanks, and the tetrodes of a drive, whose coordinates are often made up.
    """
    places, belongs = recording.get_channel_locations(), np.asarray(recording.get_channel_groups())
    parts = [np.flatnonzero(belongs == one) for one in np.unique(belongs)]
    made = [make_neighbourhoods(places[part]) for part in parts]
    home = np.empty(len(places), np.int64)
    first = np.cumsum([0, *(len(one.groups) for one in made)])
    for part, one, offset in zip(parts, made, first[:-1], strict=True):
        home[part] = one.home + offset
    return Neighbourhoods(
        [part[group] for part, one in zip(parts, made, strict=True) for group in one.groups],
        home,
        [part[around] for part, one in zip(parts, made, strict=True) for around in one.surroundings],
    )


def make_neighbourhoods(locations_um: Float[np.ndarray, "channels dimensions"]) -> Neighbourhoods:
    """Cover a probe: up to four channels are one group; of more, a channel and its three nearest.

    A group is left out if its channels are already together in others, so there are fewer groups than channels.

    Parameters
    ----------
    locations_um
        Contact positions.
    """
    n = len(locations_um)
    if n <= GROUP:
        return Neighbourhoods([np.arange(n)], np.zeros(n, np.int64), [np.arange(n)])
    away = np.linalg.norm(locations_um[:, None] - locations_um[None], axis=-1)
    # by position, so that equal distances are resolved the same way everywhere
    ordered = [np.lexsort((np.arange(n), np.arange(n) != own, row)) for own, row in enumerate(away.round(3))]
    nearest = [np.sort(row[:GROUP]) for row in ordered]
    wanted = {(a, b) for a in range(n) for b in ordered[a][1:3].tolist()}
    candidates = sorted({tuple(group.tolist()) for group in nearest})
    chosen: list[tuple[int, ...]] = []
    while wanted:
        gains = [sum((a, b) in wanted for a in group for b in group) for group in candidates]
        best = int(np.argmax(gains))
        if gains[best] == 0:
            break
        chosen.append(candidates[best])
        wanted -= {(a, b) for a in candidates[best] for b in candidates[best]}
    for channel in range(n):  # every channel is in a group
        if not any(channel in group for group in chosen):
            chosen.append(tuple(nearest[channel].tolist()))
    groups = [np.array(group, np.int64) for group in sorted(set(chosen))]
    centres = np.array([locations_um[group].mean(axis=0) for group in groups])
    home = np.empty(n, np.int64)
    for channel in range(n):
        own = [index for index, group in enumerate(groups) if channel in group]
        home[channel] = own[int(np.argmin(np.linalg.norm(centres[own] - locations_um[channel], axis=1).round(3)))]
    surroundings = [np.flatnonzero((away[group] < _RADIUS_UM).any(axis=0)) for group in groups]
    return Neighbourhoods(groups, home, surroundings)
