import numpy as np
import pytest
import scipy.signal

from spikeline.artifacts import seed_stream
from spikeline.errors import ConfigError, DataError, NumericalError
from spikeline.sorting.simsort.paper.preprocessing import (
    band_passed,
    clipped_band,
    low_passed_snippets,
    whitened,
    whitening_matrix,
    z_scored,
)

RATE_HZ = 10_000.0


def _traces(n_samples=4000):
    return seed_stream(0, "test-preprocessing").standard_normal((n_samples, 4))


def test_the_upper_edge_stays_1_hz_below_nyquist():
    assert clipped_band((300, 3000), RATE_HZ) == (300, 3000)
    assert clipped_band((250, 10_000), RATE_HZ) == (250, 4999)
    for band in ((5000, 8000), (0, 3000), (3000, 300)):
        with pytest.raises(ConfigError, match="a band of"):
            clipped_band(band, RATE_HZ)


def test_the_band_pass_has_butterworths_response_squared_and_no_delay():
    time = np.arange(20_000) / RATE_HZ
    for frequency in (200.0, 300.0, 1000.0, 3000.0, 4000.0):
        tone = np.sin(2 * np.pi * frequency * time)[:, None]
        found = band_passed(tone, (300, 3000), RATE_HZ)[5000:15_000, 0]
        b, a = scipy.signal.butter(4, (300, 3000), "bandpass", fs=RATE_HZ)
        _, response = scipy.signal.freqz(b, a, [frequency], fs=RATE_HZ)
        np.testing.assert_allclose(found, abs(response[0]) ** 2 * tone[5000:15_000, 0], atol=1e-3)


def test_the_band_pass_treats_time_and_channels_alike():
    traces = _traces()
    found = band_passed(traces, (300, 3000), RATE_HZ)
    np.testing.assert_allclose(found[:, :1], band_passed(traces[:, :1], (300, 3000), RATE_HZ))
    backwards = band_passed(traces[::-1], (300, 3000), RATE_HZ)[::-1]
    np.testing.assert_allclose(found[500:-500], backwards[500:-500], atol=1e-6)


def test_z_scores():
    found = z_scored(_traces() * [1, 2, 3, 40] + [0, 5, -7, 1])
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(found.std(axis=0), 1)


def test_whitened_traces_have_no_correlation_and_stay_near_their_channels():
    mixing = np.eye(4) + 0.3
    traces = _traces() @ mixing
    found = whitened(traces)
    np.testing.assert_allclose(found.T @ found / len(found), np.eye(4), atol=1e-10)
    matrix = whitening_matrix(traces)
    np.testing.assert_allclose(matrix, matrix.T, atol=1e-12)
    inverse = np.linalg.inv(matrix)
    np.testing.assert_allclose(inverse @ inverse, traces.T @ traces / len(traces), rtol=1e-8)
    assert (np.abs(matrix).argmax(axis=0) == np.arange(4)).all()


def test_whitening_forgets_gains_up_to_a_rotation_and_scales_to_one():
    traces = _traces()
    np.testing.assert_allclose(whitened(1000 * traces), whitened(traces), rtol=1e-8)


def test_the_low_pass_is_the_recursion_from_rest():
    snippets = seed_stream(0, "test-low-pass").standard_normal((3, 60, 4)).astype(np.float32)
    warped = np.tan(np.pi * 1000 / RATE_HZ)
    gain, pole = warped / (1 + warped), (1 - warped) / (1 + warped)
    expected = np.zeros(snippets.shape)
    for t in range(60):
        past = snippets[:, t - 1] if t else 0
        expected[:, t] = gain * (snippets[:, t] + past) + (pole * expected[:, t - 1] if t else 0)
    np.testing.assert_allclose(low_passed_snippets(snippets, RATE_HZ), expected, atol=1e-6)


def test_traces_that_cannot_be_filtered_or_whitened_are_refused():
    traces = _traces(200)
    with pytest.raises(DataError, match="more than 27"):
        band_passed(traces[:27], (300, 3000), RATE_HZ)
    broken = traces.copy()
    broken[5, 2] = np.nan
    with pytest.raises(DataError, match="not finite"):
        band_passed(broken, (300, 3000), RATE_HZ)
    with pytest.raises(DataError, match="channel 1 does not vary"):
        z_scored(traces * [1, 0, 1, 1])
    for mixture in (traces * [1, 0, 1, 1], traces - traces.mean(axis=1, keepdims=True), traces[:, [0, 1, 2, 2]]):
        with pytest.raises(NumericalError, match="eigenvalues"):
            whitening_matrix(mixture)
    with pytest.raises(ConfigError, match="above 2000"):
        low_passed_snippets(np.zeros((1, 60, 4)), 2000.0)
