"""Trajectories without gaps by a fast engine, those with gaps by the one that each of them costs its own recursions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float

from spikeline.dynamics.em.expectation import Engine, Expectation
from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.trajectories import Trajectories

__all__ = ["SplitEngine"]


class SplitEngine:
    """E-steps on two parts of the trajectories, each by an engine of its own.

    Parameters
    ----------
    trajectories
        Some of them, but not all, in either part.
    first
        Which are in the first part.
    make_first, make_second
        Engines from trajectories.
    """

    def __init__(
        self,
        trajectories: Trajectories,
        first: Bool[np.ndarray, " N"],
        make_first: Callable[[Trajectories], Engine],
        make_second: Callable[[Trajectories], Engine],
    ) -> None:
        self._parts = [np.flatnonzero(first), np.flatnonzero(~first)]
        self._engines = [
            make(trajectories[part]) for make, part in zip((make_first, make_second), self._parts, strict=True)
        ]
        names = [getattr(engine, "name", type(engine).__name__) for engine in self._engines]
        self.name = " and ".join(names)
        roundings = [engine.rounding for engine in self._engines if hasattr(engine, "rounding")]
        if roundings:
            self.rounding = max(roundings)

    def expectation(self, mixture: Mixture) -> Expectation:
        """The E-step under a mixture."""
        made = [engine.expectation(mixture) for engine in self._engines]
        statistics = tuple(one + other for one, other in zip(*(part.statistics for part in made), strict=True))
        return Expectation(
            self._joined([part.log_likelihoods for part in made]),
            self._joined([part.responsibilities for part in made]),
            statistics,
        )

    def component_log_likelihoods(self, mixture: Mixture) -> Float[np.ndarray, "N K"]:
        """Log-likelihood of each trajectory under each component, nats, without the mixture's weights."""
        return self._joined([engine.component_log_likelihoods(mixture) for engine in self._engines])

    def _joined(self, values: list[np.ndarray]) -> np.ndarray:
        result = np.empty((sum(map(len, self._parts)), *values[0].shape[1:]))
        for part, value in zip(self._parts, values, strict=True):
            result[part] = value
        return result
