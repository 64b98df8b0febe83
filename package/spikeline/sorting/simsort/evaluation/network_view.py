"""A recording as the networks see it, and what the detector says of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Float32, Int64

from spikeline.sorting.simsort.detection import spike_probabilities
from spikeline.sorting.simsort.neighbourhoods import Neighbourhoods, neighbourhoods_of
from spikeline.sorting.simsort.whitened import Resampling, whitened_traces

if TYPE_CHECKING:
    import spikeinterface as si

    from spikeline.sorting.simsort.networks import Networks

__all__ = ["NetworkView", "network_view", "probabilities_of_groups"]


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
    return NetworkView(traces, resampling, neighbourhoods_of(recording), recording.get_num_samples(), places)


def probabilities_of_groups(view: NetworkView, networks: Networks) -> list[Float32[np.ndarray, " samples"]]:
    """The detector's probability of a spike's peak at every sample, group by group."""
    return [
        spike_probabilities(networks.detector, view.group(index)) for index in range(len(view.neighbourhoods.groups))
    ]
