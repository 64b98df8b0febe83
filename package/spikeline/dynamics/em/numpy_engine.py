"""The E-step in numpy: the reference that faster engines are compared with."""

from __future__ import annotations

from functools import reduce
from operator import add

import numpy as np
from jaxtyping import Float

from spikeline.dynamics.em.expectation import Expectation, responsibilities_of
from spikeline.dynamics.em.kalman_smoother import smooth
from spikeline.dynamics.em.sufficient_statistics import sufficient_statistics
from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.trajectories import Trajectories

__all__ = ["NumpyEngine"]

_CHUNK_NUMBERS = 4_000_000  # of the states of all components, kept at the same time


class NumpyEngine:
    """E-steps on trajectories without gaps, one length after the other, a chunk of trajectories at a time.

    Parameters
    ----------
    trajectories
        Lengths may differ.
    chunk_numbers
        How many numbers of states may be kept at the same time: bounds the memory.
    """

    def __init__(self, trajectories: Trajectories, chunk_numbers: int = _CHUNK_NUMBERS) -> None:
        self._n = len(trajectories)
        self._chunk_numbers = chunk_numbers
        self._groups = []
        for length in np.unique(trajectories.lengths):
            own = np.flatnonzero(trajectories.lengths == length)
            self._groups.append((own, trajectories.inputs[own, :length], trajectories.outputs[own, :length]))

    def expectation(self, mixture: Mixture) -> Expectation:
        """The E-step under a mixture."""
        log_likelihoods = np.empty(self._n)
        responsibilities = np.empty((self._n, mixture.n_components))
        parts = []
        for own, inputs, outputs in self._chunks(mixture):
            states = [smooth(system, inputs, outputs) for system in mixture.systems]
            of_components = np.stack([of_one.log_likelihood for of_one in states], axis=1)
            log_likelihoods[own], responsibilities[own] = responsibilities_of(of_components, mixture.weights)
            parts.append(
                [sufficient_statistics(s, inputs, outputs, responsibilities[own, k]) for k, s in enumerate(states)]
            )
        statistics = tuple(reduce(add, of_component) for of_component in zip(*parts, strict=True))
        return Expectation(log_likelihoods, responsibilities, statistics)

    def component_log_likelihoods(self, mixture: Mixture) -> Float[np.ndarray, "N K"]:
        """Log-likelihood of each trajectory under each component, nats, without the mixture's weights."""
        result = np.empty((self._n, mixture.n_components))
        for own, inputs, outputs in self._chunks(mixture):
            for k, system in enumerate(mixture.systems):
                result[own, k] = smooth(system, inputs, outputs).log_likelihood
        return result

    def _chunks(self, mixture: Mixture):
        for own, inputs, outputs in self._groups:
            each = inputs.shape[1] * mixture.n_states * mixture.n_components
            size = max(1, self._chunk_numbers // max(each, 1))
            for first in range(0, len(own), size):
                part = slice(first, first + size)
                yield own[part], inputs[part], outputs[part]
