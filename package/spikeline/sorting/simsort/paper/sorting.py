"""The published sorting from a recording to units: filter, whiten, detect, embed, cluster, chunk by chunk."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int64
from scipy import signal

from spikeline.config.simsort.paper_sorter import PaperSortingSettings
from spikeline.errors import DataError
from spikeline.sorting.simsort.paper.clustering import paper_units
from spikeline.sorting.simsort.paper.peaks import peaks_of_runs
from spikeline.sorting.simsort.paper.preprocessing import band_passed, low_passed_snippets, whitened, z_scored
from spikeline.sorting.simsort.paper.snippets import paper_snippets, whole_snippets

if TYPE_CHECKING:
    import spikeinterface as si

    from spikeline.sorting.simsort.paper.networks import PaperNetworks

__all__ = ["FEWEST_TO_CLUSTER", "PaperSorted", "chunk_bounds", "sort_as_published", "sort_chunk"]

FEWEST_TO_CLUSTER = 16
"""A chunk with fewer spikes gives no unit: UMAP looks at 15 neighbours of each."""
_LARGEST_FACTOR = 1000


@dataclass(frozen=True)
class PaperSorted:
    """All spikes of a recording.

    Parameters
    ----------
    spike_samples
        Rising, in samples of the recording as it was given.
    unit_index
        Whose they are, from 0; units of one chunk after those of the chunk before.
    unit_channels
        Index of the channel on which a unit's mean spike is largest.
    unit_chunks
        The chunk a unit belongs to: it has no spike in any other.
    """

    spike_samples: Int64[np.ndarray, " spikes"]
    unit_index: Int64[np.ndarray, " spikes"]
    unit_channels: Int64[np.ndarray, " units"]
    unit_chunks: Int64[np.ndarray, " units"]


def sort_as_published(
    recording: si.BaseRecording,
    settings: PaperSortingSettings,
    *,
    weights: str | Path,
    threads: int = 1,
    device: str = "auto",
    seed: int = 0,
    progress: bool = False,
) -> PaperSorted:
    """Sort a recording.

    Parameters
    ----------
    recording
        One segment, as many channels as the networks were trained for: four.
    settings
        Switches of the published steps.
    weights
        Folder of networks of preset paper.
    threads
        Of torch; changes what the networks say by rounding alone.
    device
        ``cpu``, ``cuda`` or ``auto``: a GPU if torch sees one.
    seed
        Of UMAP and of the bandwidth, the same in every chunk; the published sorter has none.
    progress
        Show a bar.

    Raises
    ------
    ConfigError
        If nothing of the band is left below half the sampling rate, or umap-learn is missing.
    DataError
        If the recording has another number of channels, or a chunk is too short or has a constant channel.
    FormatError
        If the weights cannot be read, or are not of this preset.
    NumericalError
        If channels are mixtures of each other, or spikes cannot be told apart at all.

    Notes
    -----
    Source: SimSort, released tool and sorting code. Which of its steps see a chunk and which the whole recording is
    not known where the tool is not explicit; here all see the chunk.
    """
    from rich.console import Console
    from rich.progress import track

    from spikeline.sorting.simsort.paper.networks import load_paper_networks

    networks = load_paper_networks(weights, device)
    _check_channels(recording, networks)
    bounds = chunk_bounds(recording.get_num_samples(), settings.chunk_samples, settings.tail)
    samples, units, channels, chunks = [np.empty(0, np.int64)], [np.empty(0, np.int64)], [], []
    shown = track(bounds, "sorting chunks", console=Console(stderr=True), disable=not progress)
    with _torch_threads(threads):
        for number, (start, stop) in enumerate(shown):
            traces = _microvolts(recording, start, stop)
            peaks, labels, best = sort_chunk(traces, recording.get_sampling_frequency(), networks, settings, seed=seed)
            samples.append(np.clip(start + peaks, start, stop - 1))
            units.append(len(channels) + labels)
            channels += best.tolist()
            chunks += [number] * len(best)
    together, index = np.concatenate(samples), np.concatenate(units)
    order = np.lexsort((index, together))
    return PaperSorted(together[order], index[order], np.array(channels, np.int64), np.array(chunks, np.int64))


def chunk_bounds(n_samples: int, chunk_samples: int | None, tail: str) -> list[tuple[int, int]]:
    """First and last-but-one sample of each chunk.

    A recording shorter than a chunk is one. What is left after the last whole chunk is dropped with tail drop; with
    pad the last chunk takes it.
    """
    if chunk_samples is None or n_samples <= chunk_samples:
        return [(0, n_samples)]
    whole = n_samples // chunk_samples
    bounds = [(i * chunk_samples, (i + 1) * chunk_samples) for i in range(whole)]
    if tail == "pad":
        bounds[-1] = (bounds[-1][0], n_samples)
    return bounds


def sort_chunk(
    traces: Float[np.ndarray, "samples channels"],
    sampling_rate_hz: float,
    networks: PaperNetworks,
    settings: PaperSortingSettings,
    *,
    seed: int,
) -> tuple[Int64[np.ndarray, " spikes"], Int64[np.ndarray, " spikes"], Int64[np.ndarray, " units"]]:
    """Spikes of one chunk, as samples of the traces given, the unit of each, and each unit's channel.

    Parameters
    ----------
    traces
        uV.
    sampling_rate_hz, networks, settings, seed
        See `sort_as_published`.
    """
    from spikeline.sorting.simsort.paper.inference import spike_probability

    up, down = _ratio(sampling_rate_hz, settings.resample_hz)
    if up != down:
        traces = signal.resample_poly(traces, up, down, axis=0)
    rate_hz = sampling_rate_hz * up / down
    filtered = band_passed(traces, settings.band_hz, rate_hz)
    seen = whitened(z_scored(filtered)).astype(np.float32)
    probability = spike_probability(networks.detector, seen, tail=settings.tail)
    peaks = peaks_of_runs(probability > settings.threshold, seen[: len(probability)])
    peaks = peaks[whole_snippets(peaks, len(seen))]
    if len(peaks) < FEWEST_TO_CLUSTER:
        none = np.empty(0, np.int64)
        return none, none, none
    snippets = paper_snippets(seen if settings.snippets == "whitened" else filtered, peaks)
    if settings.low_pass:
        snippets = low_passed_snippets(snippets, rate_hz)
    labels = paper_units(
        _embeddings(networks, snippets.astype(np.float32), settings), quantile=settings.bandwidth_quantile, seed=seed
    )
    shapes = paper_snippets(filtered, peaks)
    best = [int(np.abs(shapes[labels == unit].mean(axis=0)).max(axis=0).argmax()) for unit in range(labels.max() + 1)]
    return np.rint(peaks * down / up).astype(np.int64), labels, np.array(best, np.int64)


def _embeddings(networks: PaperNetworks, snippets: np.ndarray, settings: PaperSortingSettings) -> np.ndarray:
    import torch

    from spikeline.sorting.simsort.paper.denoising import denoised
    from spikeline.sorting.simsort.paper.identifier import embed

    identifier = networks.identifier
    on = identifier.basis.device
    denoise = functools.partial(denoised, svd=settings.svd, basis=identifier.basis)
    return embed(identifier, torch.from_numpy(snippets).to(on), denoise).cpu().numpy()


def _ratio(source_hz: float, wanted_hz: float | None) -> tuple[int, int]:
    if wanted_hz is None:
        return 1, 1
    ratio = Fraction(wanted_hz / source_hz).limit_denominator(_LARGEST_FACTOR)
    if ratio == 0:
        raise DataError(
            f"a recording at {source_hz:g} Hz to be resampled to {wanted_hz:g} Hz",
            f"at most {_LARGEST_FACTOR} times fewer samples",
            "leave resample_hz out, or raise it",
        )
    return ratio.numerator, ratio.denominator


def _microvolts(recording: si.BaseRecording, start: int, stop: int) -> np.ndarray:
    """float64; a recording without gains is taken to be in uV."""
    scaled = recording.has_scaleable_traces()
    return recording.get_traces(start_frame=start, end_frame=stop, return_in_uV=scaled).astype(np.float64)


def _check_channels(recording: si.BaseRecording, networks: PaperNetworks) -> None:
    wanted, found = networks.detector.embedding.in_features, recording.get_num_channels()
    if found != wanted:
        raise DataError(
            f"a recording of {found} channels with preset: paper",
            f"{wanted}: the published sorter knows tetrodes only",
            "take preset out to have the default, or sort tetrode by tetrode (run_sorter_by_property)",
        )


@contextmanager
def _torch_threads(count: int) -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
