"""Scores of matrices, which depend on the states' coordinates unless these are brought together first."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from spikeline.config.molds import lags_of
from spikeline.dynamics.starts.ho_kalman import realise
from spikeline.dynamics.systems import LinearSystem, markov_parameters

__all__ = ["observability", "parameter_error", "subspace_angle"]


def observability(
    A: Float[np.ndarray, "n n"], C: Float[np.ndarray, "q n"], blocks: int
) -> Float[np.ndarray, "blocks_q n"]:
    """C, C A, C A^2, ... below each other: what the first state does to the outputs."""
    rows, row = [], C
    for _ in range(blocks):
        rows.append(row)
        row = row @ A
    return np.concatenate(rows)


def parameter_error(true: LinearSystem, estimated: LinearSystem) -> float:
    """Frobenius norm of all differences of A, B, C and D, the estimate being brought into the truth's coordinates.

    The truth is put in balanced coordinates first, which are its own but for signs of states. With T the least-squares
    solution of O_estimated T = O_true, the estimate is compared as T^-1 A T, T^-1 B, C T. A coarse score: it weighs
    what the outputs hardly show like what they do show, and it is infinite where T has no inverse.
    """
    n = len(true.A)
    balanced = realise(markov_parameters(true, lags_of(n)), n)
    if balanced.shrunk:  # a true system near instability: its own coordinates serve
        balanced = true
    wanted = observability(balanced.A, balanced.C, 2 * n)
    turn = np.linalg.lstsq(observability(estimated.A, estimated.C, 2 * n), wanted, rcond=None)[0]
    if not np.linalg.cond(turn) < 1 / np.finfo(float).eps:
        return float("inf")
    parts = (
        np.linalg.solve(turn, estimated.A @ turn) - balanced.A,
        np.linalg.solve(turn, estimated.B) - balanced.B,
        estimated.C @ turn - balanced.C,
        estimated.D - balanced.D,
    )
    return float(np.sqrt(sum((part**2).sum() for part in parts)))


def subspace_angle(true: LinearSystem, estimated: LinearSystem) -> float:
    """Largest principal angle between the column spaces of both observability matrices over 2n steps, in radians.

    Zero for systems that differ in coordinates, inputs and noise alone; pi / 2 if some state's course in the outputs
    has no counterpart.
    """
    from scipy.linalg import subspace_angles

    steps = 2 * len(true.A)
    spaces = (observability(system.A, system.C, steps) for system in (true, estimated))
    return float(subspace_angles(*spaces).max())
