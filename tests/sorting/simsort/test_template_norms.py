"""Norms of mean spikes in noise: those that were planted, whatever the number of spikes."""

from __future__ import annotations

import numpy as np
import pytest

from spikeline.sorting.simsort.template_norms import template_norms


def _traces(norms: list[float], spikes: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """White noise of 4 channels with spikes of known norm, each unit of another shape, none near another."""
    draw = np.random.default_rng(seed)
    count = len(norms) * spikes
    peaks = 100 + 100 * np.arange(count)
    units = draw.permutation(np.repeat(np.arange(len(norms)), spikes))
    traces = draw.normal(size=(100 * (count + 2), 4))
    shapes = draw.normal(size=(len(norms), 30, 4))
    shapes *= (np.array(norms) / np.linalg.norm(shapes.reshape(len(norms), -1), axis=1))[:, None, None]
    for peak, unit in zip(peaks, units, strict=True):
        traces[peak - 10 : peak + 20] += shapes[unit]
    return traces.astype(np.float32), peaks, units


@pytest.mark.parametrize("spikes", [5, 20, 200])
def test_planted_norms_are_found_without_bias(spikes: int) -> None:
    norms = [4.0, 7.0, 15.0]
    found = [template_norms(*_traces(norms, spikes, seed)) ** 2 for seed in range(20)]
    # of the squared norm: 4 |w|^2 / n from the noise along the template, and 2 d / n^2 from that across it
    spread = np.sqrt((4 * np.square(norms) / spikes + 2 * 200 / spikes**2) / len(found))
    assert (np.abs(np.mean(found, axis=0) - np.square(norms)) < 4 * spread).all()


def test_few_spikes_say_nothing_and_noise_is_small() -> None:
    traces, peaks, units = _traces([10.0, 10.0], 2, 0)
    assert template_norms(traces, peaks, units).tolist() == [0.0, 0.0]
    traces, peaks, _ = _traces([0.0], 200, 1)
    assert template_norms(traces, peaks, np.zeros(200, np.int64))[0] < 1.0
    assert len(template_norms(traces, peaks[:0], peaks[:0])) == 0
