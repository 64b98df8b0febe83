"""The E-step trajectory by trajectory with the reference smoother, and how to compare an engine with it."""

from __future__ import annotations

from dataclasses import fields

import numpy as np

from spikeline.dynamics.em.expectation import Expectation, responsibilities_of
from spikeline.dynamics.em.kalman_smoother import smooth
from spikeline.dynamics.em.sufficient_statistics import SufficientStatistics, sufficient_statistics
from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.trajectories import Trajectories


def reference_log_likelihoods(data: Trajectories, mixture: Mixture) -> np.ndarray:
    """(N, K), one trajectory after the other."""
    result = np.empty((len(data), mixture.n_components))
    for i, length in enumerate(data.lengths):
        for k, system in enumerate(mixture.systems):
            result[i, k] = smooth(system, data.inputs[[i], :length], data.outputs[[i], :length]).log_likelihood[0]
    return result


def reference_expectation(data: Trajectories, mixture: Mixture) -> Expectation:
    """One trajectory after the other."""
    each, responsibilities = responsibilities_of(reference_log_likelihoods(data, mixture), mixture.weights)
    statistics = []
    for k, system in enumerate(mixture.systems):
        total = None
        for i, length in enumerate(data.lengths):
            inputs, outputs = data.inputs[[i], :length], data.outputs[[i], :length]
            own = sufficient_statistics(smooth(system, inputs, outputs), inputs, outputs, responsibilities[[i], k])
            total = own if total is None else total + own
        statistics.append(total)
    return Expectation(each, responsibilities, tuple(statistics))


def assert_same_expectation(made: Expectation, expected: Expectation, tolerance: float = 1e-9) -> None:
    """Equal to a relative tolerance, of each array's largest entry."""
    np.testing.assert_allclose(made.log_likelihoods, expected.log_likelihoods, rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(made.responsibilities, expected.responsibilities, atol=tolerance)
    for own, other in zip(made.statistics, expected.statistics, strict=True):
        for field in fields(SufficientStatistics):
            value = np.asarray(getattr(other, field.name))
            scale = np.abs(value).max(initial=0.0)
            np.testing.assert_allclose(
                getattr(own, field.name), value, rtol=0, atol=tolerance * max(scale, 1.0), err_msg=field.name
            )
