"""The same recording gives the same units, however the work is cut up, in whatever order, on whatever device."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import spikeinterface as si
import torch
from sklearn.metrics import adjusted_rand_score

from spikeline.config.simsort import SimSortSettings
from spikeline.sorting.simsort import detection, networks, template_matching, whitened
from spikeline.sorting.simsort.merging import merge_clusters
from spikeline.sorting.simsort.mixture import fit_mixture
from spikeline.sorting.simsort.pipeline import Sorted, sort
from tests.sorting.simsort.handmade_networks import write_handmade_networks
from tests.sorting.simsort.planted import RATE_HZ, noise, plant, spike_shape, train

SECONDS = 30
RATES_HZ = (12.0, 7.0, 5.0, 3.0)


@pytest.fixture(scope="module")
def recording() -> si.BaseRecording:
    """A tetrode with four units, two of them alike but for their channels; the first loses a fifth of its size."""
    n_samples = round(SECONDS * RATE_HZ)
    traces = noise(n_samples)
    for unit, rate in enumerate(RATES_HZ):
        times = train(rate, n_samples, unit)
        loss = np.linspace(1.0, 0.8, len(times)) if unit == 0 else 1.0
        plant(traces, spike_shape(unit, energy=400.0 - 40 * unit, falls=0.45), times, loss)
    made = si.NumpyRecording([8 * traces], RATE_HZ)
    made.set_dummy_probe_from_locations(np.array([[0.0, 0.0], [0.0, 20.0], [20.0, 0.0], [20.0, 20.0]]))
    return made


@pytest.fixture(scope="module", params=["shipped", "handmade"])
def weights(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path | None:
    return None if request.param == "shipped" else write_handmade_networks(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def usual(recording: si.BaseRecording, weights: Path | None) -> Sorted:
    found = sort(recording, SimSortSettings(), weights=weights, device="cpu")
    assert len(found.unit_channels) == len(RATES_HZ)
    return found


def assert_same_units(found: Sorted, usual: Sorted) -> None:
    """The same number of units, in the same order, and spike counts equal to 0.1 % (less than one of these spikes)."""
    counts, expected = (np.bincount(result.unit_index) for result in (found, usual))
    assert len(counts) == len(expected)
    np.testing.assert_allclose(counts, expected, rtol=1e-3, atol=0)
    np.testing.assert_array_equal(found.unit_channels, usual.unit_channels)


@pytest.mark.parametrize(
    ("module", "constant", "value"),
    [
        (whitened, "_BLOCK_S", 3.7),
        (detection, "_PIECE", 7001),
        (networks, "_BATCH", 100),
        (template_matching, "_MARGIN", 150),
        (template_matching, "_BLOCK_S", 3.1),
    ],
)
def test_whatever_the_length_of_the_pieces(
    module: object, constant: str, value: float, recording: si.BaseRecording, weights: Path | None, usual: Sorted,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    assert getattr(module, constant) != value
    monkeypatch.setattr(module, constant, value)
    assert_same_units(sort(recording, SimSortSettings(), weights=weights, device="cpu"), usual)


def test_whatever_the_number_of_threads(recording: si.BaseRecording, weights: Path | None, usual: Sorted) -> None:
    found = sort(recording, SimSortSettings(), weights=weights, device="cpu", threads=2)
    for name in ("spike_samples", "unit_index", "unit_channels", "spike_scores"):
        np.testing.assert_array_equal(getattr(found, name), getattr(usual, name))


def test_on_a_gpu_as_on_a_cpu(recording: si.BaseRecording, weights: Path | None, usual: Sorted) -> None:
    if not torch.cuda.is_available():
        pytest.skip("torch sees no GPU here")
    assert_same_units(sort(recording, SimSortSettings(), weights=weights, device="cuda"), usual)


def _clusters(n_units: int, seed: int = 0, *, apart: float = 24.0) -> tuple[np.ndarray, np.ndarray]:
    """Points of scatter 1 in 16 dimensions, centres about ``apart`` from each other, and rising peaks."""
    draw = np.random.default_rng(seed)
    centres = apart / np.sqrt(32) * draw.normal(size=(n_units, 16))
    index = draw.integers(0, n_units, size=250 * n_units)
    peaks = np.cumsum(draw.integers(30, 300, size=len(index)))
    return (centres[index] + draw.normal(size=(len(index), 16))).astype(np.float32), peaks


@pytest.mark.parametrize("seed", range(3))
def test_clusters_do_not_depend_on_the_order_of_spikes(seed: int) -> None:
    points, peaks = _clusters(6)
    _, labels = fit_mixture(points)
    order = np.random.default_rng(seed).permutation(len(points))
    _, permuted = fit_mixture(points[order])
    np.testing.assert_array_equal(permuted, labels[order])  # the numbers too
    assert len(np.unique(merge_clusters(points, labels, peaks, RATE_HZ))) == 6


def test_merged_clusters_do_not_depend_on_the_order_of_spikes() -> None:
    points, peaks = _clusters(6)
    _, labels = fit_mixture(points)
    # more components than units, so that there is something to merge
    labels = 2 * labels + (np.arange(len(labels)) % 2) * (labels >= 0)
    merged = merge_clusters(points, labels, peaks, RATE_HZ)
    order = np.random.default_rng(1).permutation(len(points))
    permuted = merge_clusters(points[order], labels[order], peaks[order], RATE_HZ)
    pairs = set(zip(merged[order].tolist(), permuted.tolist(), strict=True))
    assert len(pairs) == len(set(merged.tolist())) == len(set(permuted.tolist())) == 6


@pytest.mark.parametrize("seed", range(5))
def test_rounding_changes_no_clusters_that_overlap(seed: int) -> None:
    """A device's rounding moves embeddings by some 1e-5 of the scatter; ten times as much may move single points."""
    points, _ = _clusters(8, seed, apart=4.0)
    centres, labels = fit_mixture(points)
    moved = np.random.default_rng(seed).normal(size=points.shape).astype(np.float32)
    np.testing.assert_array_equal(fit_mixture(points + 1e-5 * moved)[1], labels)
    again, same = fit_mixture(points + 1e-4 * moved)
    assert len(again) == len(centres) and adjusted_rand_score(same, labels) > 0.98
