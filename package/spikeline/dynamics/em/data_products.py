"""Products of outputs and inputs, of each trajectory: computed once, they serve every E-step."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int64

from spikeline.dynamics.em.shared_work import SharedWork

__all__ = ["DataProducts"]

_AT_ONCE = 1024  # trajectories of one piece of work


class DataProducts:
    """Of each trajectory w w', w = (y, u), summed over steps, and u u' of its last step.

    Parameters
    ----------
    inputs, outputs
        Of all trajectories; in double precision, because differences of squares are taken.
    lengths
        Steps of each.
    work
        Threads.
    """

    def __init__(
        self,
        inputs: Float[np.ndarray, "N T m"],
        outputs: Float[np.ndarray, "N T q"],
        lengths: Int64[np.ndarray, " N"],
        work: SharedWork,
    ) -> None:
        from spikeline.dynamics.em.numba_products import own_products

        q, m = outputs.shape[2], inputs.shape[2]
        self._work, self._q, self._steps = work, q, float(lengths.sum())
        self._whole, self._last = np.triu_indices(q + m), np.triu_indices(m)
        self._each = np.empty((len(lengths), len(self._whole[0]) + len(self._last[0])))
        parts = self._parts()
        work.run(own_products, ((inputs, outputs, lengths, *part, self._each) for part in parts))

    def quadratic(self, forms: Float[np.ndarray, "K q_plus_m q_plus_m"]) -> Float[np.ndarray, "N K"]:
        """w' form w, summed over each trajectory's steps."""
        from spikeline.dynamics.em.numba_products import contract

        rows, columns = self._whole
        coefficients = np.zeros((len(forms), self._each.shape[1]))
        coefficients[:, : len(rows)] = np.where(rows == columns, 1.0, 2.0) * forms[:, rows, columns]
        made = np.empty((len(self._each), len(forms)))
        self._work.run(contract, ((self._each, coefficients, *part, made) for part in self._parts()))
        return made

    def weighted(
        self, weights: Float[np.ndarray, "N K"], least: float
    ) -> tuple[Float[np.ndarray, "K q_plus_m q_plus_m"], Float[np.ndarray, "K m m"]]:
        """Both products, summed over trajectories by their weights; weights below ``least`` are left out."""
        from spikeline.dynamics.em.numba_products import weighted_sum

        parts = [(part, np.zeros((weights.shape[1], self._each.shape[1]))) for part in self._parts()]
        self._work.run(weighted_sum, ((self._each, weights, least, *part, out) for part, out in parts))
        return self._unpacked(sum(out for _, out in parts))

    def signal_over(self, noise: Float[np.ndarray, "K q q"]) -> float:
        """Mean square of the outputs, over the noise's, for the component of the smallest noise."""
        (square,), _ = self._unpacked(self._each.sum(axis=0)[None])
        powers = [np.trace(np.linalg.solve(R, square[: self._q, : self._q])) for R in noise]
        return float(max(powers)) / (self._steps * self._q)

    def _unpacked(self, packed: Float[np.ndarray, "K products"]) -> tuple[np.ndarray, np.ndarray]:
        squares = []
        for rows, columns in (self._whole, self._last):
            values, packed = packed[:, : len(rows)], packed[:, len(rows) :]
            size = int(rows[-1]) + 1 if len(rows) else 0
            square = np.empty((len(values), size, size))
            square[:, rows, columns] = values
            square[:, columns, rows] = values
            squares.append(square)
        return squares[0], squares[1]

    def _parts(self) -> list[tuple[int, int]]:
        n = len(self._each)
        return [(first, min(n, first + _AT_ONCE)) for first in range(0, n, _AT_ONCE)]
