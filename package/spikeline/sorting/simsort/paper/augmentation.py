"""The published augmentations of training windows and snippets.

Up-sampling a trace in the frequency domain by 8, shifting it circularly by k samples and down-sampling it again turns
the phase of each Fourier coefficient and, where the length is even, scales the Nyquist coefficient by cos(pi k / 8).
That is done here without the long trace in between.
"""

from __future__ import annotations

import numpy as np
import scipy.fft
from jaxtyping import Bool, Float32, Int64

from spikeline.errors import DataError

__all__ = [
    "SHIFTS_PER_SAMPLE",
    "augmented_snippets",
    "augmented_windows",
    "chosen_channels",
    "draw_largest_shift",
    "shifted",
]

SHIFTS_PER_SAMPLE = 8
_WINDOW_PROBABILITY = 0.8
_WINDOW_GAIN = (0.0, 1.0)
_WINDOW_NOISE = 0.9
_WINDOW_LARGEST_SHIFT = 5
_SNIPPET_PROBABILITY = 0.5
_SNIPPET_GAIN = (0.5, 1.0)
_SNIPPET_NOISE_UV = 4.0
_SNIPPET_LARGEST_SHIFTS = (1, 49)


def chosen_channels(
    n_windows: int, n_channels: int, probability: float, generator: np.random.Generator
) -> Bool[np.ndarray, "windows channels"]:
    """Which channels of which window are changed.

    A window is changed with ``probability``; of a changed window 1 to ``n_channels`` channels are, every number as
    likely as any other, every set of that size too.
    """
    changed = generator.random(n_windows) < probability
    count = generator.integers(1, n_channels + 1, n_windows)
    rank = generator.random((n_windows, n_channels)).argsort(axis=1).argsort(axis=1)
    return changed[:, None] & (rank < count[:, None])


def shifted(
    traces: Float32[np.ndarray, "traces samples"], eighths: Int64[np.ndarray, " traces"]
) -> Float32[np.ndarray, "traces samples"]:
    """Each trace shifted circularly by its own number of eighths of a sample, later for positive numbers."""
    n_samples = traces.shape[1]
    turn = np.exp(-2j * np.pi / (SHIFTS_PER_SAMPLE * n_samples) * np.outer(eighths, np.arange(n_samples // 2 + 1)))
    spectrum = scipy.fft.rfft(traces, axis=1) * turn.astype(np.complex64)
    # The inverse transform ignores the imaginary part of the Nyquist coefficient: what remains is the cosine.
    return scipy.fft.irfft(spectrum, n=n_samples, axis=1)


def _scaled(traces: np.ndarray, bounds: tuple[float, float], generator: np.random.Generator) -> np.ndarray:
    return traces * generator.uniform(*bounds, (len(traces), 1)).astype(np.float32)


def _noisy(traces: np.ndarray, level: float, generator: np.random.Generator) -> np.ndarray:
    return traces + np.float32(level) * generator.standard_normal(traces.shape, dtype=np.float32)


def _moved(traces: np.ndarray, largest_shift: int, generator: np.random.Generator) -> np.ndarray:
    largest = SHIFTS_PER_SAMPLE * largest_shift
    return shifted(traces, generator.integers(-largest, largest + 1, len(traces)))


def _with_channels(windows: np.ndarray, chosen: np.ndarray, traces: np.ndarray) -> np.ndarray:
    result = windows.copy()
    result.transpose(0, 2, 1)[chosen] = traces
    return result


def augmented_windows(
    windows: Float32[np.ndarray, "windows samples channels"], generator: np.random.Generator
) -> Float32[np.ndarray, "windows samples channels"]:
    """Training windows of the detector, augmented; labels stay as they are.

    Of 80 % of the windows 1 to 4 channels are changed (of another number of channels: 1 to all), each in this order:
    times U(0, 1); plus N(0, 0.9) per sample; shifted circularly by up to 5 samples either way, in eighths. The other
    channels stay clean.

    Parameters
    ----------
    windows
        z-scored traces, no unit; not modified.
    generator
        What every draw comes from.

    Notes
    -----
    Source: SimSort, released augmentation configuration of the detector.
    """
    chosen = chosen_channels(windows.shape[0], windows.shape[2], _WINDOW_PROBABILITY, generator)
    traces = _scaled(windows.transpose(0, 2, 1)[chosen], _WINDOW_GAIN, generator)
    traces = _noisy(traces, _WINDOW_NOISE, generator)
    return _with_channels(windows, chosen, _moved(traces, _WINDOW_LARGEST_SHIFT, generator))


def draw_largest_shift(generator: np.random.Generator) -> int:
    """Largest shift of a snippet, 1 to 49 samples: drawn once per training run.

    Notes
    -----
    Source: SimSort, released augmentation code of the identifier. A run that draws a large number learns to ignore
    when the peak comes, one that draws a small number does not.
    """
    low, high = _SNIPPET_LARGEST_SHIFTS
    return int(generator.integers(low, high + 1))


def augmented_snippets(
    snippets: Float32[np.ndarray, "snippets samples channels"], largest_shift: int, generator: np.random.Generator
) -> Float32[np.ndarray, "snippets samples channels"]:
    """Training snippets of the identifier, augmented: anchors, positives and negatives in a call each.

    Of half of the snippets 1 to 4 channels are changed (of another number of channels: 1 to all), each in this order:
    shifted circularly by up to ``largest_shift`` samples either way, in eighths; times U(0.5, 1); plus N(0, 4 uV) per
    sample. (The published code can also stretch a snippet, with probability 0.)

    Parameters
    ----------
    snippets
        uV; not modified.
    largest_shift
        Samples, see `draw_largest_shift`.
    generator
        What every draw comes from.

    Raises
    ------
    DataError
        If ``largest_shift`` is negative or not shorter than a snippet.

    Notes
    -----
    Source: SimSort, released augmentation configuration of the identifier.
    """
    if not 0 <= largest_shift < snippets.shape[1]:
        raise DataError(
            f"a largest shift of {largest_shift} samples",
            f"0 to {snippets.shape[1] - 1}: less than a snippet",
            "draw it with draw_largest_shift",
        )
    chosen = chosen_channels(snippets.shape[0], snippets.shape[2], _SNIPPET_PROBABILITY, generator)
    traces = _moved(snippets.transpose(0, 2, 1)[chosen], largest_shift, generator)
    traces = _noisy(_scaled(traces, _SNIPPET_GAIN, generator), _SNIPPET_NOISE_UV, generator)
    return _with_channels(snippets, chosen, traces)
