"""Outputs in the few directions that states show in: what filters run on, however many outputs there are.

With R = L L', the whitened outputs L^-1 (y - D u) = L^-1 C x + white noise. If there are more outputs than states,
L^-1 C = U V with orthonormal columns U (q, n), and only y~ = U' L^-1 (y - D u) says anything of x; the rest is noise,
whose likelihood is that of independent normal numbers and needs nothing but the trajectory's sums of squares:

    log p(y) = log p~(y~) - 1/2 sum_t |(1 - U U') L^-1 (y - D u)|^2 - T log det L - T (q - n) / 2 log 2 pi.

So a step of a filter costs O(n^2), not O(q^2). Taken from the sums of squares, that sum loses as many digits as the
outputs' power over the noise's has, no more than six with the floor of R.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from spikeline.dynamics.mixture import Mixture

__all__ = ["ReducedOutputs", "reduced_outputs"]


@dataclass(frozen=True)
class ReducedOutputs:
    """Of all components; r is the smaller one of the numbers of states and outputs.

    Parameters
    ----------
    project
        From outputs to reduced ones.
    seen
        From states to reduced outputs, whose noise is white with variance 1.
    through
        From inputs to reduced outputs: y~ = project y - through u.
    left
        M such that |(1 - U U') L^-1 (y - D u)|^2 = w' M w with w = (y, u); None if nothing was left out.
    log_root
        log det L.
    """

    project: Float[np.ndarray, "K r q"]
    seen: Float[np.ndarray, "K r n"]
    through: Float[np.ndarray, "K r m"]
    left: Float[np.ndarray, "K q_plus_m q_plus_m"] | None
    log_root: Float[np.ndarray, " K"]


def reduced_outputs(mixture: Mixture) -> ReducedOutputs:
    """The reduction for each component of a mixture."""
    n, q = mixture.n_states, mixture.n_outputs
    C, D = mixture.stacked("C"), mixture.stacked("D")
    roots = np.linalg.cholesky(mixture.stacked("R"))
    log_root = np.log(np.diagonal(roots, axis1=1, axis2=2)).sum(axis=1)
    project, seen = np.linalg.inv(roots), np.linalg.solve(roots, C)
    left = None
    if q > n:
        directions, seen = np.linalg.qr(seen)
        whitened = np.concatenate([project, -project @ D], axis=2)
        rest = whitened - directions @ (directions.transpose(0, 2, 1) @ whitened)
        left = rest.transpose(0, 2, 1) @ rest
        project = directions.transpose(0, 2, 1) @ project
    return ReducedOutputs(project, seen, project @ D, left, log_root)
