"""The plain way to detect spikes: a threshold in multiples of the noise, on the channel where an event is largest."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Literal

import numpy as np
from jaxtyping import Float, Float64

from spikeline.sorting.simsort.evaluation.detections import Detections

if TYPE_CHECKING:
    import spikeinterface as si

__all__ = ["above", "threshold_detections"]

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


def above(detections: Detections, heights: Float[np.ndarray, " events"], threshold: float) -> Detections:
    """Events of at least this height."""
    kept = heights >= threshold
    return Detections(detections.samples[kept], detections.channels[kept])
