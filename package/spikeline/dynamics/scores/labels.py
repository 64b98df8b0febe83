"""How well trajectories were told apart."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64

__all__ = ["adjusted_rand_index", "label_accuracy"]


def adjusted_rand_index(true: Int64[np.ndarray, " N"], found: Int64[np.ndarray, " N"]) -> float:
    """Agreement of two partitions, whatever their labels' names: 1 for the same one, 0 on average for chance.

    Hubert and Arabie (1985).
    """
    counts = np.zeros((true.max() + 1, found.max() + 1))
    np.add.at(counts, (true, found), 1)

    def pairs(numbers: np.ndarray) -> float:
        return float((numbers * (numbers - 1)).sum() / 2)

    together, of_true, of_found = pairs(counts), pairs(counts.sum(axis=1)), pairs(counts.sum(axis=0))
    everything = pairs(np.array([float(len(true))]))
    expected = of_true * of_found / everything if everything else 0.0
    most = (of_true + of_found) / 2
    return 1.0 if most == expected else (together - expected) / (most - expected)


def label_accuracy(
    true: Int64[np.ndarray, " N"], found: Int64[np.ndarray, " N"], estimate_of: Int64[np.ndarray, " K"]
) -> float:
    """Share of trajectories that were given to the estimate of their own component.

    Parameters
    ----------
    true, found
        Component of each trajectory, true and estimated.
    estimate_of
        Index of the estimate for each true component (`matching.match_components`).
    """
    return float((estimate_of[true] == found).mean())
