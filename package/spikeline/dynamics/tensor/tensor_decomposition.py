"""A symmetric tensor taken apart into orthogonal directions: simultaneous matrix diagonalisation, or power method."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from spikeline.dynamics.tensor.joint_diagonalisation import joint_diagonaliser

__all__ = ["TensorComponents", "power_method", "simultaneous_diagonalisation"]

_STARTS, _ITERATIONS = 30, 60


@dataclass(frozen=True)
class TensorComponents:
    """sum_k weights[k] vectors[:, k]^(x)3, weights falling and not negative.

    Parameters
    ----------
    weights
        lambda.
    vectors
        Columns of length 1.
    """

    weights: Float[np.ndarray, " K"]
    vectors: Float[np.ndarray, "K K"]


def simultaneous_diagonalisation(tensor: Float[np.ndarray, "K K K"], draw: np.random.Generator) -> TensorComponents:
    """SMD: many projections of the tensor to matrices are diagonalised together.

    Two passes (Kuleshov, Chaganty and Liang 2015): projections on random directions give first estimates, and
    projections on these the final ones.

    Parameters
    ----------
    tensor
        Symmetric.
    draw
        Where the random directions come from.
    """
    K = len(tensor)
    directions = draw.normal(size=(max(10 * K, 20), K))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    for _ in range(2):
        vectors = joint_diagonaliser(np.einsum("abc,jc->jab", tensor, directions))
        directions = vectors.T
    return _signed(tensor, vectors)


def power_method(tensor: Float[np.ndarray, "K K K"], draw: np.random.Generator) -> TensorComponents:
    """RTPM: one direction after the other, each the best of 30 random starts, then taken out of the tensor.

    The numbers of starts (30) and iterations (60, and 60 more for the best) are ours.

    Parameters
    ----------
    tensor
        Symmetric.
    draw
        Where the starts come from.
    """
    left, found = np.array(tensor, np.float64), []
    for _ in range(len(tensor)):
        starts = draw.normal(size=(_STARTS, len(tensor)))
        points = _iterated(left, starts / np.linalg.norm(starts, axis=1, keepdims=True))
        heights = np.einsum("abc,sa,sb,sc->s", left, points, points, points, optimize=True)
        best = _iterated(left, points[[heights.argmax()]])[0]
        found.append(best)
        left -= np.einsum("abc,a,b,c", left, best, best, best) * np.einsum("a,b,c->abc", best, best, best)
    return _signed(tensor, np.stack(found, axis=1))


def _iterated(tensor: Float[np.ndarray, "K K K"], points: Float[np.ndarray, "S K"]) -> Float[np.ndarray, "S K"]:
    for _ in range(_ITERATIONS):
        points = np.einsum("abc,sb,sc->sa", tensor, points, points, optimize=True)
        points /= np.maximum(np.linalg.norm(points, axis=1, keepdims=True), np.finfo(float).tiny)
    return points


def _signed(tensor: Float[np.ndarray, "K K K"], vectors: Float[np.ndarray, "K K"]) -> TensorComponents:
    weights = np.einsum("abc,ak,bk,ck->k", tensor, vectors, vectors, vectors, optimize=True)
    vectors = vectors * np.where(weights < 0, -1.0, 1.0)
    order = np.argsort(-np.abs(weights), kind="stable")
    return TensorComponents(np.abs(weights)[order], vectors[:, order])
