"""Anderson's acceleration of EM: the next mixture from the last few steps, not from the last one alone.

EM maps a point x to g(x), and r(x) = g(x) - x tends to zero, slowly where Q is small. From the differences of the last
h points (columns of X) and of their residuals (columns of F), the point next tried is

    x + r - (X + F) c,        c = argmin |r - F c|,

the secant step towards r = 0 (Anderson 1965; Walker and Ni 2011, eq. 2.2). Such a step may lose likelihood. Then it is
taken back, the memory is emptied, and EM's own steps go on until there are twice as many differences as were needed
before, so that EM stays monotone and rejected steps stay few (in the spirit of DAAREM: Henderson and Varadhan 2019).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

__all__ = ["Memory"]

_DEPTH = 6
_RIDGE = 1e-10  # of the largest squared singular value of F


@dataclass(frozen=True)
class Memory:
    """The last points and what EM made of them.

    Parameters
    ----------
    point, residual
        x and r(x) of the last point; empty before the first.
    points, residuals
        Differences of the last points, and of their residuals, oldest first.
    wait
        How many differences an extrapolation needs.
    """

    point: Float[np.ndarray, " P_or_0"]
    residual: Float[np.ndarray, " P_or_0"]
    points: Float[np.ndarray, "h P"]
    residuals: Float[np.ndarray, "h P"]
    wait: int = 1

    @classmethod
    def empty(cls, size: int) -> Memory:
        """Of vectors of this size, before the first step."""
        return cls(np.empty(0), np.empty(0), np.empty((0, size)), np.empty((0, size)))

    def with_step(
        self, point: Float[np.ndarray, " P"], image: Float[np.ndarray, " P"], *, extrapolated: bool
    ) -> Memory:
        """EM has been at ``point`` and leads to ``image``; ``extrapolated``: whether an extrapolation led there."""
        residual = image - point
        points, residuals = self.points, self.residuals
        if len(self.point):
            points = np.concatenate([points, [point - self.point]])[-_DEPTH:]
            residuals = np.concatenate([residuals, [residual - self.residual]])[-_DEPTH:]
        wait = max(1, self.wait - 1) if extrapolated else self.wait
        return Memory(point, residual, points, residuals, wait)

    def forgotten(self, *, for_longer: bool) -> Memory:
        """Only the last point is left; ``for_longer``: and twice as many steps are waited for."""
        none = np.empty((0, self.points.shape[1]))
        wait = min(_DEPTH, 2 * self.wait) if for_longer else self.wait
        return replace(self, points=none, residuals=none, wait=wait)

    def extrapolation(self) -> Float[np.ndarray, " P"] | None:
        """The point to try next; None: there is too little to tell, EM's own step is next."""
        if len(self.points) < self.wait:
            return None
        left, values, right = np.linalg.svd(self.residuals.T, full_matrices=False)
        if not values[0] > 0:
            return None
        c = right.T @ (values / (values**2 + _RIDGE * values[0] ** 2) * (left.T @ self.residual))
        return self.point + self.residual - (self.points + self.residuals).T @ c
