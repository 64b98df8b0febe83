"""A mixture of linear systems: what a fit estimates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from spikeline.dynamics.systems import LinearSystem, markov_parameters
from spikeline.errors import DataError

__all__ = ["Mixture"]

_ROUNDING = 1e-9


@dataclass(frozen=True)
class Mixture:
    """K systems of the same numbers of states, inputs and outputs, and how often each is met.

    Parameters
    ----------
    systems
        The components.
    weights
        Their probabilities; sum 1.

    Raises
    ------
    DataError
        If there is no system, sizes differ, or weights are not probabilities.
    """

    systems: tuple[LinearSystem, ...]
    weights: Float[np.ndarray, " K"]

    def __post_init__(self) -> None:
        sizes = {(len(system.A), system.B.shape[1], len(system.C)) for system in self.systems}
        if len(sizes) != 1:
            raise DataError(
                f"systems of {len(sizes)} different sizes (states, inputs, outputs): {sorted(sizes)}",
                "one or more systems of one size",
                "give all components the same numbers of states, inputs and outputs",
            )
        wrong = self.weights.shape != (len(self.systems),) or not (self.weights >= 0).all()
        if wrong or abs(float(self.weights.sum()) - 1) > _ROUNDING:
            raise DataError(
                f"weights {self.weights}",
                f"{len(self.systems)} probabilities of sum 1",
                "divide them by their sum",
            )

    @property
    def n_components(self) -> int:
        """K."""
        return len(self.systems)

    @property
    def n_states(self) -> int:
        """n."""
        return len(self.systems[0].A)

    @property
    def n_inputs(self) -> int:
        """m."""
        return self.systems[0].B.shape[1]

    @property
    def n_outputs(self) -> int:
        """q."""
        return len(self.systems[0].C)

    def stacked(self, name: str) -> Float[np.ndarray, "K ..."]:
        """One matrix ("A", "B", ..., "S") of all systems."""
        return np.stack([getattr(system, name) for system in self.systems])

    def responses(self, lags: int) -> Float[np.ndarray, "K lags q m"]:
        """Impulse responses (Markov parameters) of all systems: the same for all coordinates of the states."""
        return np.stack([markov_parameters(system, lags) for system in self.systems])
