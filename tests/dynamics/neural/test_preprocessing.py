"""Folds, smoothing and components."""

from __future__ import annotations

import numpy as np
import pytest

from spikeline.artifacts import seed_stream
from spikeline.dynamics.neural.folds import sector_of, stratified_folds
from spikeline.dynamics.neural.preprocessing import causal_smoothing, fit_principal_components
from spikeline.errors import DataError


def test_sectors_are_centred_on_their_directions() -> None:
    directions = np.array([0.0, 22.0, 23.0, 45.0, 337.0, 338.0, 359.0, 360.0, -10.0])
    assert sector_of(directions, 8).tolist() == [0, 0, 1, 1, 7, 0, 0, 0, 0]


def test_every_fold_has_every_direction_alike() -> None:
    groups = np.repeat(np.arange(8), [19, 22, 22, 21, 20, 18, 22, 15])
    folds = stratified_folds(groups, 5, seed_stream(1, "test-folds"))
    for group in range(8):
        sizes = np.bincount(folds[groups == group], minlength=5)
        assert sizes.max() - sizes.min() <= 1
    sizes = np.bincount(folds)
    assert sizes.sum() == 159 and sizes.max() - sizes.min() <= 1
    with pytest.raises(DataError, match="3 trials for 5 folds"):
        stratified_folds(np.zeros(3, np.int64), 5, seed_stream(1, "test-folds"))


def test_smoothing_looks_back_only_and_never_across_trials() -> None:
    values = seed_stream(2, "test-smoothing").normal(size=(11, 2))
    pointers = np.array([0, 4, 11])
    made = causal_smoothing(values, pointers, 1.5)
    for start, stop in ((0, 4), (4, 11)):
        for t in range(start, stop):
            back = np.arange(min(t - start, 6) + 1)
            kernel = np.exp(-0.5 * (back / 1.5) ** 2)
            np.testing.assert_allclose(made[t], kernel @ values[t - back] / kernel.sum(), rtol=1e-12)
    assert causal_smoothing(values, pointers, 0.0) is values


def test_components_are_the_singular_vectors_of_training_bins() -> None:
    draw = seed_stream(3, "test-components")
    values = draw.normal(size=(200, 3)) @ draw.normal(size=(3, 10)) + 0.1 * draw.normal(size=(200, 10)) + 5.0
    components = fit_principal_components(values, 2)
    _, sizes, right = np.linalg.svd(values - values.mean(axis=0), full_matrices=False)
    np.testing.assert_allclose(np.abs(components.directions.T @ right[:2].T), np.eye(2), atol=1e-9)
    np.testing.assert_allclose(components.explained, (sizes**2 / (sizes**2).sum())[:2])
    made = components(values)
    np.testing.assert_allclose(made.mean(axis=0), 0, atol=1e-12)
    # one scale for all: the mean of their variances is 1, and their sizes relative to each other stay
    variances = made.var(axis=0, ddof=1)
    assert variances.mean() == pytest.approx(1)
    assert variances[0] / variances[1] == pytest.approx((sizes[0] / sizes[1]) ** 2)


def test_too_many_components_are_refused() -> None:
    with pytest.raises(DataError, match="5 principal components of 4 units"):
        fit_principal_components(np.ones((10, 4)), 5)
    with pytest.raises(DataError, match="fewer than 2 directions"):
        fit_principal_components(np.arange(10.0)[:, None] * np.ones(4), 2)
