"""The plain ways to detect spikes: a threshold in multiples of the noise, on the channel where an event is largest."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Literal

import numpy as np
from jaxtyping import Float, Float64

from spikeline.sorting.simsort.evaluation.detections import Detections
from spikeline.sorting.simsort.evaluation.largest_of_groups import largest_of_groups
from spikeline.sorting.simsort.paper.peaks import threshold_peaks

if TYPE_CHECKING:
    import spikeinterface as si

    from spikeline.sorting.simsort.evaluation.network_view import NetworkView

__all__ = ["above", "published_detections", "threshold_detections"]

_RADIUS_UM = 50.0  # SpikeInterface's default: an event is the largest within it


def threshold_detections(
    recording: si.BaseRecording,
    noise: Float[np.ndarray, " channels"],
    *,
    sign: Literal["neg", "pos", "both"],
    lowest: float,
    exclude_ms: float,
) -> tuple[Detections, Float64[np.ndarray, " events"]]:
    """Local extrema beyond a threshold, by SpikeInterface's ``detect_peaks`` with its method ``locally_exclusive``.

    Parameters
    ----------
    recording
        Already filtered, with contact positions.
    noise
        Of each channel: median absolute deviation / 0.6745, in the unit of the traces.
    sign
        Which extrema.
    lowest
        Threshold in multiples of the noise.
    exclude_ms
        An event is the largest within this time and 50 um.

    Returns
    -------
    detections
        Events.
    heights
        Of each, in multiples of the noise. Those at a higher threshold are the events at least as high (`above`), since
        what excludes an event is higher than it.
    """
    from spikeinterface.sortingcomponents.peak_detection import detect_peaks

    with warnings.catch_warnings():
        # numba notes that a function it runs was compiled for another kind of array before
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        peaks = detect_peaks(
            recording,
            method="locally_exclusive",
            method_kwargs={
                "peak_sign": sign,
                "detect_threshold": lowest,
                "exclude_sweep_ms": exclude_ms,
                "radius_um": _RADIUS_UM,
                "noise_levels": np.asarray(noise, np.float64),
            },
            job_kwargs={"n_jobs": 1, "chunk_duration": "10s", "progress_bar": False},
        )
    order = np.lexsort((peaks["channel_index"], peaks["sample_index"]))
    samples, channels = peaks["sample_index"][order].astype(np.int64), peaks["channel_index"][order].astype(np.int64)
    heights = np.abs(peaks["amplitude"][order].astype(np.float64)) / noise[channels]
    return Detections(samples, channels), heights


def published_detections(view: NetworkView, noise: Float[np.ndarray, " channels"], threshold: float) -> Detections:
    """The baseline detector of the published comparison (`spikeline.sorting.simsort.paper.peaks.threshold_peaks`).

    It takes whatever stands out at one time on any channel for one spike, as on a tetrode. A larger probe is therefore
    seen in the groups of channels that the networks see, and of what several groups report the largest stays.

    Parameters
    ----------
    view
        The traces that the networks see: whitened, at 10 kHz, the rate of the published simulations, whose samples its
        windows are counted in.
    noise
        Of each channel of the view.
    threshold
        In multiples of the noise.
    """
    samples, channels, heights, owners = [], [], [], []
    for index, group in enumerate(view.neighbourhoods.groups):
        size = np.abs(view.group(index)) / noise[group].astype(np.float32)
        at = threshold_peaks(size, threshold=threshold)
        samples.append(at), channels.append(group[size[at].argmax(axis=1)]), heights.append(size[at].max(axis=1))
        owners.append(np.full(len(at), index))
    at, channel, height, owner = (np.concatenate(parts) for parts in (samples, channels, heights, owners))
    order = np.lexsort((owner, channel, at))
    at, channel = at[order], channel[order]
    kept = largest_of_groups(at, view.locations_um[channel], height[order], owner[order])
    source, channel = view.to_source(at[kept]), channel[kept]
    order = np.lexsort((channel, source))
    return Detections(source[order], channel[order])


def above(detections: Detections, heights: Float[np.ndarray, " events"], threshold: float) -> Detections:
    """Events of at least this height."""
    kept = heights >= threshold
    return Detections(detections.samples[kept], detections.channels[kept])
