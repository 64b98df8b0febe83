"""Counts made into a few signals: smoothing that looks back only, and principal components of training bins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int64

from spikeline.errors import DataError

__all__ = ["PrincipalComponents", "causal_smoothing", "fit_principal_components"]

_REACH = 4.0  # standard deviations


@dataclass(frozen=True)
class PrincipalComponents:
    """Directions of largest variance, and one scale for all of them.

    Parameters
    ----------
    mean
        Of each unit, subtracted first.
    directions
        Orthonormal; the largest weight of each is positive.
    scale
        All components are divided by it, which keeps their sizes relative to each other.
    explained
        Share of the units' variance along each.
    """

    mean: Float[np.ndarray, " units"]
    directions: Float[np.ndarray, "units components"]
    scale: float
    explained: Float[np.ndarray, " components"]

    def __call__(self, values: Float[np.ndarray, "bins units"]) -> Float[np.ndarray, "bins components"]:
        """Values along the components, divided by the scale."""
        return (values - self.mean) @ self.directions / self.scale


def fit_principal_components(values: Float[np.ndarray, "bins units"], n: int) -> PrincipalComponents:
    """Components of bins that may be learnt from.

    Parameters
    ----------
    values
        Of training bins alone.
    n
        How many components.

    Raises
    ------
    DataError
        If units or bins are too few, or do not vary in so many directions.
    """
    if n > min(values.shape[1], len(values) - 1):
        raise DataError(
            f"{n} principal components of {values.shape[1]} units in {len(values)} bins",
            f"at most {min(values.shape[1], len(values) - 1)}",
            "lower principal_components",
        )
    mean = values.mean(axis=0)
    variances, vectors = np.linalg.eigh(np.cov(values, rowvar=False).reshape(values.shape[1], -1))
    variances, vectors = variances[::-1][:n], vectors[:, ::-1][:, :n]
    total = float(values.var(axis=0, ddof=1).sum())
    if not variances[-1] > 1e-12 * max(total, np.finfo(float).tiny):
        raise DataError(
            f"units that vary in fewer than {n} directions", "activity that varies", "lower principal_components"
        )
    largest = np.abs(vectors).argmax(axis=0)
    vectors = vectors * np.sign(vectors[largest, np.arange(n)])
    return PrincipalComponents(mean, vectors, float(np.sqrt(variances.mean())), variances / total)


def causal_smoothing(
    values: Float[np.ndarray, "bins units"], trial_pointers: Int64[np.ndarray, " trials_and_one"], sd_bins: float
) -> Float[np.ndarray, "bins units"]:
    """Weighted mean over this bin and those before it in the trial, weights falling as half a Gaussian.

    Parameters
    ----------
    values
        Trial after trial.
    trial_pointers
        Where trials begin and end.
    sd_bins
        Standard deviation of the whole Gaussian, bins; 0 leaves values as they are.
    """
    if sd_bins == 0:
        return values
    kernel = np.exp(-0.5 * (np.arange(int(np.ceil(_REACH * sd_bins)) + 1) / sd_bins) ** 2)
    made = np.zeros_like(values)
    weight = np.zeros(len(values))
    step = np.arange(len(values)) - np.repeat(trial_pointers[:-1], np.diff(trial_pointers))
    for back, share in enumerate(kernel):
        reaches = np.flatnonzero(step >= back)
        made[reaches] += share * values[reaches - back]
        weight[reaches] += share
    return made / weight[:, None]
