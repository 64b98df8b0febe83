"""The augmentations against the published procedure done literally, one channel at a time, with scipy's resampling."""

import numpy as np
import pytest
import scipy.signal
from hypothesis import given
from hypothesis import strategies as st

from spikeline.artifacts import seed_stream
from spikeline.errors import DataError
from spikeline.sorting.simsort.paper.augmentation import (
    augmented_snippets,
    augmented_windows,
    chosen_channels,
    draw_largest_shift,
    shifted,
)


def _stream(name, seed=0):
    return seed_stream(seed, f"test-augmentation-{name}")


def _drawn(*shape, seed=0):
    return _stream("signal", seed).standard_normal(shape, dtype=np.float32)


def _shifted_slowly(trace, eighths):
    n_samples = len(trace)
    fine = scipy.signal.resample(trace.astype(float), 8 * n_samples)
    return scipy.signal.resample(np.roll(fine, eighths), n_samples)


def _slow_windows(windows, generator):
    """Draws in the order of the code, work as the specification words it."""
    result = windows.astype(float)
    chosen = chosen_channels(len(windows), windows.shape[2], 0.8, generator)
    pairs = np.argwhere(chosen)
    gains = generator.uniform(0, 1, (len(pairs), 1))
    noise = generator.standard_normal((len(pairs), windows.shape[1]), dtype=np.float32)
    shifts = generator.integers(-40, 41, len(pairs))
    for (window, channel), gain, extra, shift in zip(pairs, gains, noise, shifts, strict=True):
        result[window, :, channel] = _shifted_slowly(windows[window, :, channel] * gain + 0.9 * extra, shift)
    return result


def _slow_snippets(snippets, largest_shift, generator):
    result = snippets.astype(float)
    chosen = chosen_channels(len(snippets), snippets.shape[2], 0.5, generator)
    pairs = np.argwhere(chosen)
    shifts = generator.integers(-8 * largest_shift, 8 * largest_shift + 1, len(pairs))
    gains = generator.uniform(0.5, 1, (len(pairs), 1))
    noise = generator.standard_normal((len(pairs), snippets.shape[1]), dtype=np.float32)
    for (snippet, channel), gain, extra, shift in zip(pairs, gains, noise, shifts, strict=True):
        result[snippet, :, channel] = _shifted_slowly(snippets[snippet, :, channel], shift) * gain + 4 * extra
    return result


@pytest.mark.parametrize("n_samples", [60, 61, 2000])
def test_a_shift_is_scipys_resampling_there_and_back(n_samples):
    traces, eighths = _drawn(9, n_samples), np.array([-40, -8, -3, 0, 1, 4, 8, 39, 392])
    expected = [_shifted_slowly(trace, shift) for trace, shift in zip(traces, eighths, strict=True)]
    np.testing.assert_allclose(shifted(traces, eighths), expected, atol=2e-5)


@given(st.integers(-49, 49), st.integers(2, 70))
def test_a_shift_by_whole_samples_rolls(samples, length):
    trace = _drawn(1, length)
    np.testing.assert_allclose(shifted(trace, np.array([8 * samples])), np.roll(trace, samples, axis=1), atol=1e-4)


@given(st.integers(-300, 300), st.integers(-300, 300))
def test_shifts_of_a_trace_without_nyquist_component_add_up(first, second):
    trace = _drawn(1, 61)  # of odd length
    twice = shifted(shifted(trace, np.array([first])), np.array([second]))
    np.testing.assert_allclose(twice, shifted(trace, np.array([first + second])), atol=1e-4)


@pytest.mark.parametrize("n_channels", [1, 2, 4])
def test_windows_are_those_of_the_slow_reference(n_channels):
    windows = _drawn(12, 200, n_channels)
    expected = _slow_windows(windows, _stream("windows"))
    np.testing.assert_allclose(augmented_windows(windows, _stream("windows")), expected, atol=1e-4)


@pytest.mark.parametrize("largest_shift", [1, 17, 49])
def test_snippets_are_those_of_the_slow_reference(largest_shift):
    snippets = 50 * _drawn(20, 60, 4)
    expected = _slow_snippets(snippets, largest_shift, _stream("snippets"))
    found = augmented_snippets(snippets, largest_shift, _stream("snippets"))
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_every_number_of_channels_is_as_likely():
    chosen = chosen_channels(40_000, 4, 0.8, _stream("choice"))
    counts = np.bincount(chosen.sum(axis=1), minlength=5) / 40_000
    np.testing.assert_allclose(counts, [0.2, 0.2, 0.2, 0.2, 0.2], atol=0.01)  # the first: unchanged windows
    np.testing.assert_allclose(chosen.mean(axis=0), 0.8 * 2.5 / 4, atol=0.01)


@given(st.integers(0, 1000))
def test_channels_that_are_not_chosen_stay_clean_and_nothing_is_written_into_the_input(seed):
    windows = _drawn(6, 40, 4, seed=seed)
    before = windows.copy()
    for augment in (augmented_windows, lambda w, g: augmented_snippets(w, 5, g)):
        found = augment(windows, _stream("clean", seed))
        changed = (found != windows).any(axis=1)
        clean = (found == windows).all(axis=1)
        assert (changed ^ clean).all()
        np.testing.assert_array_equal(windows, before)
        np.testing.assert_array_equal(found, augment(windows, _stream("clean", seed)))


def test_noise_and_gain_have_the_published_size():
    found = augmented_windows(np.ones((2000, 50, 4), np.float32), _stream("size"))
    chosen = (found != 1).any(axis=1)
    traces = found.transpose(0, 2, 1)[chosen]
    assert traces.mean() == pytest.approx(0.5, abs=0.02)
    # An eighth-sample shift takes half of the Nyquist component's energy, 1 in 50 of the noise's, on average.
    assert traces.std(axis=1).mean() == pytest.approx(0.9, abs=0.02)
    found = augmented_snippets(np.full((4000, 60, 4), 1000, np.float32), 3, _stream("size"))
    traces = found.transpose(0, 2, 1)[(found != 1000).any(axis=1)]
    assert traces.std(axis=1).mean() == pytest.approx(4, abs=0.1)
    gains = traces.mean(axis=1) / 1000
    assert gains.min() > 0.49 and gains.max() < 1.01 and gains.mean() == pytest.approx(0.75, abs=0.01)


def test_the_largest_shift_of_a_run_is_1_to_49():
    generator = _stream("largest")
    drawn = {draw_largest_shift(generator) for _ in range(2000)}
    assert drawn == set(range(1, 50))


def test_an_empty_batch_stays_empty():
    assert augmented_windows(np.zeros((0, 2000, 4), np.float32), _stream("empty")).shape == (0, 2000, 4)


@pytest.mark.parametrize("largest_shift", [-1, 60])
def test_a_shift_beyond_the_snippet_is_refused(largest_shift):
    with pytest.raises(DataError, match=str(largest_shift)):
        augmented_snippets(_drawn(2, 60, 4), largest_shift, _stream("refused"))
