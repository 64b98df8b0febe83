"""What the detector reports, one event per spike, also where several groups of channels of a dense probe see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32, Int64

from spikeline.sorting.simsort.detection import find_peaks, over_neighbours
from spikeline.sorting.simsort.evaluation.detections import Detections
from spikeline.sorting.simsort.evaluation.largest_of_groups import largest_of_groups
from spikeline.sorting.simsort.snippets import cut_snippets

if TYPE_CHECKING:
    from spikeline.sorting.simsort.evaluation.network_view import NetworkView

__all__ = ["DetectorEvents", "detector_events"]

_BEFORE, _AFTER = 3, 4  # samples around a peak in which its largest channel is looked for
_LOWEST = 0.05
_SAME_PEAK = 2  # samples by which groups may differ about where a spike peaks


@dataclass(frozen=True)
class DetectorEvents:
    """Peaks of the detector's probability in all groups of channels; a spike may still be there several times.

    Parameters
    ----------
    view
        Where they were found.
    samples
        Rising, in samples of the view's traces.
    channels
        Of the group, that on which each is largest.
    heights
        Largest value of the whitened traces there.
    groups
        Which group reports it.
    probabilities
        Mean of what all groups say that hold its channel. Groups share channels: a bump of the noise that one of them
        takes for a spike, seen beside other channels, is less likely to convince the next.
    """

    view: NetworkView
    samples: Int64[np.ndarray, " events"]
    channels: Int64[np.ndarray, " events"]
    heights: Float32[np.ndarray, " events"]
    groups: Int64[np.ndarray, " events"]
    probabilities: Float32[np.ndarray, " events"]

    def above(self, threshold: float) -> Detections:
        """Those likelier than a threshold; of what several groups report at one time and place, the largest."""
        likely = np.flatnonzero(self.probabilities > threshold)
        places = self.view.locations_um[self.channels[likely]]
        kept = likely[largest_of_groups(self.samples[likely], places, self.heights[likely], self.groups[likely])]
        source, channels = self.view.to_source(self.samples[kept]), self.channels[kept]
        order = np.lexsort((channels, source))
        return Detections(source[order], channels[order])


def detector_events(
    view: NetworkView, probabilities: list[Float32[np.ndarray, " samples"]], lowest: float = _LOWEST
) -> DetectorEvents:
    """Find the peaks of the probability.

    Parameters
    ----------
    view, probabilities
        Of one recording (`network_view.probabilities_of_groups`).
    lowest
        Peaks of a group up to it are left out; at most the smallest threshold that will be asked for, and well below
        any other, because a group that is less sure may see the spike larger.
    """
    groups = view.neighbourhoods.groups
    peaks = [find_peaks(of_group, lowest) for of_group in probabilities]
    largest = [_largest(view, group, at) for group, at in zip(groups, peaks, strict=True)]
    samples, owners = np.concatenate(peaks), np.repeat(np.arange(len(groups)), [len(at) for at in peaks])
    channels = np.concatenate([channel for channel, _ in largest])
    heights = np.concatenate([height for _, height in largest])
    order = np.lexsort((owners, channels, samples))
    samples, channels = samples[order], channels[order]
    total, asked = np.zeros(len(samples)), np.zeros(len(samples))
    for group, of_group in zip(groups, probabilities, strict=True):
        here = np.flatnonzero(np.isin(channels, group))
        if not len(here):
            continue
        window = np.clip(samples[here, None] + np.arange(-_SAME_PEAK, _SAME_PEAK + 1), 0, len(of_group) - 1)
        total[here] += over_neighbours(of_group)[window].max(axis=1)
        asked[here] += 1
    return DetectorEvents(view, samples, channels, heights[order], owners[order], (total / asked).astype(np.float32))


def _largest(
    view: NetworkView, group: Int64[np.ndarray, " channels"], peaks: Int64[np.ndarray, " peaks"]
) -> tuple[Int64[np.ndarray, " peaks"], Float32[np.ndarray, " peaks"]]:
    """Channel of a group on which each peak is largest, and how large."""
    if not len(peaks):
        return group[:0], np.empty(0, np.float32)
    highest = np.abs(cut_snippets(view.traces, peaks, _BEFORE, _AFTER, group)).max(axis=2)
    return group[highest.argmax(axis=1)], highest.max(axis=1)
