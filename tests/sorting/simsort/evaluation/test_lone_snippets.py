import numpy as np
import pytest
from scipy.signal import lfilter

from spikeline.artifacts import seed_stream
from spikeline.data.readers import Snippets
from spikeline.errors import DataError
from spikeline.sorting.simsort.evaluation.lone_snippets import edge_autocovariance, whitened_snippets
from spikeline.sorting.simsort.snippets import cut_snippets

RATE_HZ, PEAK, LENGTH = 24_000.0, 20, 72
BAND = (300.0, 3000.0)


def _coloured(n: int, seed: int = 0) -> np.ndarray:
    """Noise of a known autocovariance: 0.8 to the power of the lag."""
    drawn = seed_stream(seed, "test-coloured").normal(size=n + 500)
    return lfilter([np.sqrt(1 - 0.8**2)], [1, -0.8], drawn)[500:]


def _snippets(n: int = 600, size: float = 20.0) -> Snippets:
    """Two shapes in coloured noise, in turn."""
    noise = _coloured(n * 200).reshape(n, 200)[:, :LENGTH]
    time = (np.arange(LENGTH) - PEAK) / RATE_HZ * 1e3
    shapes = [-np.exp(-0.5 * (time / width) ** 2) for width in (0.1, 0.17)]
    labels = np.arange(n) % 2
    return Snippets(
        (noise + size * np.array(shapes)[labels]).astype(np.float32), labels.astype(np.int64), RATE_HZ, PEAK, 0
    )


def test_the_autocovariance_of_the_ends_is_that_of_the_noise():
    waveforms = _snippets(4000, size=1000.0).waveforms
    found = edge_autocovariance(waveforms, 6, 20)
    shrunk = (np.maximum(0, 6 - np.arange(20)) + 20 - np.arange(20)) / 26  # products at a lag over those at lag 0
    np.testing.assert_allclose(found, 0.8 ** np.arange(20) * shrunk, atol=0.05)


def test_noise_comes_out_as_it_does_from_a_recording():
    """Where the snippet is long over, its noise has the variance of the band's share of the spectrum."""
    snippets = _snippets()
    spikeless = Snippets(_coloured(600 * 400).reshape(600, 400).astype(np.float32), snippets.labels, RATE_HZ, 200, 0)
    lone = whitened_snippets(spikeless, 10_000.0, BAND)
    around = cut_snippets(lone.traces, lone.peaks, 30, 30)[:, 0]
    assert around.std() == pytest.approx(np.sqrt(2 * 2700 / 10_000), rel=0.15)
    spectrum = np.abs(np.fft.rfft(around * np.hanning(60), axis=1)) ** 2
    inside = spectrum.mean(axis=0)[3:17]  # 500 to 2700 Hz
    assert inside.max() / inside.min() < 2.0


def test_a_snippet_lies_at_its_peak_and_alone():
    snippets = _snippets()
    lone = whitened_snippets(snippets, 10_000.0, BAND)
    assert lone.rate_hz == 10_000.0 and len(lone.peaks) == 600
    means = [cut_snippets(lone.traces, lone.peaks[snippets.labels == unit]).mean(axis=0)[0] for unit in (0, 1)]
    assert [int(mean.argmin()) for mean in means] == [12, 12]
    between = lone.traces[(lone.peaks[:-1] + lone.peaks[1:]) // 2]
    assert np.abs(between).max() < 1e-3 * np.abs(lone.traces).max()


def test_no_label_is_looked_at():
    snippets = _snippets(60)
    other = Snippets(snippets.waveforms, np.zeros(60, np.int64), RATE_HZ, PEAK, 0)
    np.testing.assert_array_equal(
        whitened_snippets(snippets, 10_000.0, BAND).traces, whitened_snippets(other, 10_000.0, BAND).traces
    )


def test_snippets_without_anything_beside_the_spike_are_refused():
    with pytest.raises(DataError, match="beside the spike"):
        edge_autocovariance(np.zeros((5, 40)), 3, 4)
