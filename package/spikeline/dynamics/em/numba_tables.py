"""Where the tables of `filter_tables` lie: made once per fit, because fresh memory costs as much as filling it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

__all__ = ["FilterTables", "filled_up"]


def filled_up(count: int) -> int:
    """Columns of the kernels' matrices: a multiple of four."""
    return -(-count // 4) * 4


@dataclass(frozen=True)
class FilterTables:
    """Of all components, as many entries as there are steps; memory that is never written to costs nothing.

    Parameters
    ----------
    predicted, filtered, back, score, smooth, determinant
        As of `spikeline.dynamics.em.numba_covariances.filter_tables`, components first.
    score_single
        ``score`` in single precision; of length 0 where it is not wanted.
    """

    predicted: Float[np.ndarray, "K T_plus_1 n n"]
    filtered: Float[np.ndarray, "K T n n"]
    back: Float[np.ndarray, "K T n n_filled_up"]
    score: Float[np.ndarray, "K T rows columns"]
    smooth: Float[np.ndarray, "K T rows_2 columns"]
    determinant: Float[np.ndarray, "K T"]
    score_single: Float[np.ndarray, "K_or_0 T rows columns"]

    @classmethod
    def empty(cls, K: int, steps: int, n: int, m: int, seen: int, *, single: bool) -> FilterTables:
        """For K components of n states, m inputs and so many numbers that are seen in a step."""
        columns = filled_up(n + seen + m)
        score = (K, steps, seen + n, columns)
        return cls(
            predicted=np.empty((K, steps + 1, n, n)),
            filtered=np.empty((K, steps, n, n)),
            back=np.empty((K, steps, n, filled_up(n))),
            score=np.empty(score),
            smooth=np.empty((K, steps, 2 * n, columns)),
            determinant=np.empty((K, steps)),
            score_single=np.empty((K if single else 0, *score[1:]), np.float32),
        )

    def fits(self, K: int, n: int, seen: int) -> bool:
        """Whether they are for such a mixture."""
        return self.smooth.shape[0] == K and self.smooth.shape[2] == 2 * n and self.score.shape[2] == seen + n

    def of(self, k: int) -> tuple[np.ndarray, ...]:
        """One component's, in the order of the kernel."""
        return tuple(
            table[k] for table in (self.predicted, self.filtered, self.back, self.score, self.smooth, self.determinant)
        )
