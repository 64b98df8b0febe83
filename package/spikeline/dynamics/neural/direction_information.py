"""How much clusters say about directions: mutual information, by counting and by a density on the circle."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int64
from scipy.special import ive

__all__ = ["Information", "against_chance", "circular_information", "counted_information"]

_CONCENTRATION = 16.0  # a von Mises kernel about 14 degrees wide


class Information(NamedTuple):
    """Mutual information beside that of shuffled labels.

    Parameters
    ----------
    bits
        As estimated.
    chance_bits
        Mean over shuffles: what the estimate is if there is nothing to know.
    p
        Share of shuffles with as much or more, the estimate counted among them.
    """

    bits: float
    chance_bits: float
    p: float


def counted_information(labels: Int64[np.ndarray, " N"], sectors: Int64[np.ndarray, " N"]) -> float:
    """Mutual information of two groupings, from counts, bits."""
    counts = np.zeros((labels.max() + 1, sectors.max() + 1))
    np.add.at(counts, (labels, sectors), 1)
    joint = counts / counts.sum()
    apart = joint.sum(axis=1, keepdims=True) * joint.sum(axis=0)
    there = joint > 0
    return float((joint[there] * np.log2(joint[there] / apart[there])).sum())


def circular_information(directions_deg: Float[np.ndarray, " N"]) -> Callable[[np.ndarray], float]:
    """Mutual information of these angles, which vary without steps, and any labels (N,), bits.

    The mean over trials of log2 p(direction | own group) / p(direction). Densities are sums of von Mises kernels over
    the other trials, and of one further trial that may lie anywhere.
    """
    angle = np.radians(directions_deg)
    anywhere = 1 / (2 * np.pi)
    # ive(0, k) exp(k) = I0(k): the exponent is kept small
    kernel = anywhere * np.exp(_CONCENTRATION * (np.cos(angle[:, None] - angle) - 1)) / ive(0, _CONCENTRATION)
    np.fill_diagonal(kernel, anywhere)
    overall = kernel.mean(axis=1)
    everyone = np.arange(len(angle))

    def information(labels: np.ndarray) -> float:
        member = np.zeros((len(labels), labels.max() + 1))
        member[everyone, labels] = 1.0
        inside = (kernel @ member)[everyone, labels] / member.sum(axis=0)[labels]
        return float(np.log2(inside / overall).mean())

    return information


def against_chance(
    measure: Callable[[np.ndarray], float], labels: Int64[np.ndarray, " N"], shuffles: int, draw: np.random.Generator
) -> Information:
    """A measure of labels beside the same of shuffled labels."""
    value = measure(labels)
    others = np.array([measure(draw.permutation(labels)) for _ in range(shuffles)])
    return Information(value, float(others.mean()), float((1 + (others >= value).sum()) / (1 + shuffles)))
