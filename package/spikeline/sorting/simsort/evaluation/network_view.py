"""A recording as the networks see it, and what the detector says of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Float32, Int64

from spikeline.sorting.simsort.detection import find_peaks, spike_probabilities
from spikeline.sorting.simsort.evaluation.detections import Detections
from spikeline.sorting.simsort.evaluation.largest_of_groups import largest_of_groups
from spikeline.sorting.simsort.neighbourhoods import Neighbourhoods, make_neighbourhoods
from spikeline.sorting.simsort.snippets import cut_snippets
from spikeline.sorting.simsort.whitened import Resampling, whitened_traces

if TYPE_CHECKING:
    import spikeinterface as si

    from spikeline.sorting.simsort.networks import Networks

__all__ = ["NetworkView", "network_view", "probabilities_of_groups"]

_BEFORE, _AFTER = 3, 4  # samples around a peak in which its largest channel is looked for


@dataclass(frozen=True)
class NetworkView:
    """Whitened traces of a whole recording.

    Parameters
    ----------
    traces
        Noise has density 1 in the band.
    resampling
        From the recording's rate to that of the traces.
    neighbourhoods
        Groups of up to four channels, which the networks see one at a time.
    n_source
        Samples of the recording.
    locations_um
        Of the channels.
    """

    traces: Float32[np.ndarray, "samples channels"]
    resampling: Resampling
    neighbourhoods: Neighbourhoods
    n_source: int
    locations_um: Float[np.ndarray, "channels dimensions"]

    def group(self, index: int) -> Float32[np.ndarray, "samples group"]:
        """Traces of one group of channels."""
        return np.ascontiguousarray(self.traces[:, self.neighbourhoods.groups[index]])

    def from_source(self, samples: Int64[np.ndarray, " spikes"]) -> Int64[np.ndarray, " spikes"]:
        """Samples of the traces at times of the recording."""
        here = np.rint(np.asarray(samples) * (self.resampling.up / self.resampling.down)).astype(np.int64)
        return np.clip(here, 0, len(self.traces) - 1)

    def to_source(self, samples: Int64[np.ndarray, " spikes"]) -> Int64[np.ndarray, " spikes"]:
        """Samples of the recording at times of the traces."""
        there = np.rint(self.resampling.to_source(samples.astype(np.float64))).astype(np.int64)
        return np.clip(there, 0, self.n_source - 1)

    def detections(self, probabilities: list[Float32[np.ndarray, " samples"]], threshold: float) -> Detections:
        """Peaks of the probability above a threshold; each is left to the group in whose middle it is largest.

        Where two groups report at the same time near each other, as noise makes them do for one spike between them, the
        larger event stays (`largest_of_groups`).

        Parameters
        ----------
        probabilities
            Of each group (`probabilities_of_groups`).
        threshold
            As ``detection_probability`` of the sorter.
        """
        samples, channels, heights, groups = [], [], [], []
        for index, of_group in enumerate(probabilities):
            near, peaks = self.neighbourhoods.surroundings[index], find_peaks(of_group, threshold)
            windows = cut_snippets(np.ascontiguousarray(self.traces[:, near]), peaks, _BEFORE, _AFTER)
            highest = np.abs(windows).max(axis=2)
            loudest = near[highest.argmax(axis=1)] if len(peaks) else near[:0]
            at_home = self.neighbourhoods.home[loudest] == index
            samples.append(peaks[at_home])
            channels.append(loudest[at_home])
            heights.append(highest.max(axis=1, initial=0)[at_home])
            groups.append(np.full(len(samples[-1]), index))
        here, places = np.concatenate(samples), np.concatenate(channels).astype(np.int64)
        order = np.lexsort((places, here))
        here, places = here[order], places[order]
        kept = largest_of_groups(
            here, self.locations_um[places], np.concatenate(heights)[order], np.concatenate(groups)[order]
        )
        source, places = self.to_source(here[kept]), places[kept]
        order = np.lexsort((places, source))
        return Detections(source[order], places[order])


def network_view(
    recording: si.BaseRecording, networks: Networks, *, threads: int = 1, folder: Path | None = None
) -> NetworkView:
    """Whiten a recording as the sorter does.

    Parameters
    ----------
    recording
        With contact positions, unfiltered.
    networks
        Whose rate and band are wanted.
    threads
        Of the whitening; changes no result.
    folder
        Where the traces are kept if they are many.

    Raises
    ------
    DataError
        If the recording is too slow, too short, or constant.
    """
    resampling = Resampling(recording.get_sampling_frequency(), networks.sampling_rate_hz, networks.band_hz[1])
    traces = whitened_traces(recording, resampling, networks.band_hz, threads=threads, folder=folder)
    places = recording.get_channel_locations()
    return NetworkView(traces, resampling, make_neighbourhoods(places), recording.get_num_samples(), places)


def probabilities_of_groups(view: NetworkView, networks: Networks) -> list[Float32[np.ndarray, " samples"]]:
    """The detector's probability of a spike's peak at every sample, group by group."""
    return [
        spike_probabilities(networks.detector, view.group(index)) for index in range(len(view.neighbourhoods.groups))
    ]
