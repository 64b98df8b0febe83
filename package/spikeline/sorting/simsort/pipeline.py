"""SimSort from a recording to units: whiten, detect, embed, cluster, match."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32, Int64
from threadpoolctl import threadpool_limits

from spikeline.config.simsort import SimSortSettings
from spikeline.sorting.simsort.merging import merge_clusters
from spikeline.sorting.simsort.mixture import fit_mixture
from spikeline.sorting.simsort.neighbourhoods import Neighbourhoods, neighbourhoods_of
from spikeline.sorting.simsort.peak_times import moved_to_peaks
from spikeline.sorting.simsort.snippets import cut_snippets
from spikeline.sorting.simsort.subdividing import subdivide
from spikeline.sorting.simsort.template_centring import centred
from spikeline.sorting.simsort.template_matching import match_units
from spikeline.sorting.simsort.template_merging import merge_units
from spikeline.sorting.simsort.whitened import Resampling, whitened_traces

if TYPE_CHECKING:
    import spikeinterface as si

    from spikeline.sorting.simsort.networks import Networks

__all__ = ["Sorted", "sort"]


@dataclass(frozen=True)
class Sorted:
    """All spikes of a recording.

    Parameters
    ----------
    spike_samples
        Rising, in samples of the recording as it was given.
    unit_index
        Whose they are, from 0.
    unit_channels
        Index of each unit's best channel.
    spike_scores
        Logarithm of how much likelier the traces are with the spike than without.
    """

    spike_samples: Int64[np.ndarray, " spikes"]
    unit_index: Int64[np.ndarray, " spikes"]
    unit_channels: Int64[np.ndarray, " units"]
    spike_scores: Float32[np.ndarray, " spikes"]


def sort(
    recording: si.BaseRecording,
    settings: SimSortSettings,
    *,
    weights: str | Path | None = None,
    threads: int = 1,
    device: str = "auto",
    progress: bool = False,
    folder: Path | None = None,
) -> Sorted:
    """Sort a recording.

    Parameters
    ----------
    recording
        One segment, any sampling rate above 6.6 kHz, any number of channels with locations.
    settings
        None of them needs to be set for a recording.
    weights
        Folder of trained networks; None: those that come with the package.
    threads
        Of everything; changes no result.
    device
        ``cpu``, ``cuda`` or ``auto``: a GPU if torch sees one.
    progress
        Show a bar.
    folder
        Where a long recording's whitened traces are kept meanwhile.

    Raises
    ------
    DataError
        If the recording is too slow, too short, or constant.
    FormatError
        If the weights cannot be read.
    """
    from spikeline.sorting.simsort.networks import load_networks

    networks = load_networks(weights, device)
    resampling = Resampling(recording.get_sampling_frequency(), networks.sampling_rate_hz, networks.band_hz[1])
    neighbourhoods = neighbourhoods_of(recording)
    # Pieces of the recording are shared out among threads, never one operation: small ones gain nothing, and with more
    # BLAS threads the first centres would differ in their last bits
    with _one_torch_thread(), threadpool_limits(1), _bar(progress) as stage:
        traces = whitened_traces(
            recording, resampling, networks.band_hz, threads=threads, folder=folder, advance=stage("whitening", 1)
        )
        advance = stage("detecting and clustering", len(neighbourhoods.groups))
        trains = []
        for index in range(len(neighbourhoods.groups)):
            trains += _units_of_group(traces, neighbourhoods, index, networks, settings, resampling.rate_hz, threads)
            advance(1)
        trains = merge_units(*centred(traces, trains), resampling.rate_hz)
        matched = match_units(
            traces, trains, resampling.rate_hz, settings, threads=threads, advance=stage("matching", 1)
        )
    source = np.rint(resampling.to_source(matched.samples)).astype(np.int64)
    source = np.clip(source, 0, recording.get_num_samples() - 1)
    source = moved_to_peaks(recording, source, matched.unit_index, matched.channels)
    order = np.lexsort((matched.unit_index, source))
    return Sorted(source[order], matched.unit_index[order], matched.channels, matched.scores[order].astype(np.float32))


def _units_of_group(
    traces: np.ndarray,
    neighbourhoods: Neighbourhoods,
    index: int,
    networks: Networks,
    settings: SimSortSettings,
    rate_hz: float,
    threads: int,
) -> list[np.ndarray]:
    """Spike trains of the units that the networks find on one group of channels."""
    group = neighbourhoods.groups[index]
    seen = np.ascontiguousarray(traces[:, group])
    peaks = networks.detect(seen, settings.detection_probability, threads)
    peaks = _at_home(traces, peaks, neighbourhoods, index)
    if len(peaks) < settings.fewest_spikes:
        return []
    points = networks.embed(seen, peaks)
    _, labels = fit_mixture(points)
    labels = merge_clusters(points, labels, peaks, rate_hz)
    trains = [part for unit in range(labels.max() + 1) for part in subdivide(seen, peaks[labels == unit], rate_hz)]
    return [train for train in trains if len(train) >= settings.fewest_spikes]


def _at_home(traces: np.ndarray, peaks: np.ndarray, neighbourhoods: Neighbourhoods, index: int) -> np.ndarray:
    """Peaks that are largest on a channel whose home is this group: each spike is left to one group."""
    if len(neighbourhoods.groups) == 1:
        return peaks
    near = neighbourhoods.surroundings[index]
    windows = cut_snippets(traces, peaks, 3, 4, near)
    loudest = near[np.abs(windows).max(axis=2).argmax(axis=1)]
    return peaks[neighbourhoods.home[loudest] == index]


@contextmanager
def _one_torch_thread() -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def _bar(shown: bool) -> Iterator[Callable[[str, float], Callable[[float], None]]]:
    """A progress bar per stage: called with a title and a total, it gives what is told of progress."""
    if not shown:
        yield lambda title, total: lambda share: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True)) as progress:

        def stage(title: str, total: float) -> Callable[[float], None]:
            task = progress.add_task(title, total=total)
            return lambda share: progress.advance(task, share)

        yield stage
