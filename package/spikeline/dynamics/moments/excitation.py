"""Whether inputs move a system enough to tell its response, and what is wrong with them if they do not."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from spikeline.dynamics.moments.lagged_inputs import lagged_inputs
from spikeline.dynamics.moments.trial_locked import WithoutTrialLocked
from spikeline.dynamics.trajectories import Trajectories
from spikeline.errors import DataError

__all__ = ["Excitation", "excitation", "measured_excitation"]

_LEAST_SHARE = 1e-8  # of the largest eigenvalue: what is smaller is rounding
_LEAST_STEADINESS = 0.25
_VALUES_AT_ONCE = 4_000_000
_INSTEAD = "start with start.method: fir_kmeans"


@dataclass(frozen=True)
class Excitation:
    """How inputs vary over the lags of a response.

    Parameters
    ----------
    rank, dimension
        Of the covariance of lagged inputs, each input scaled to unit variance.
    condition
        Its largest eigenvalue over its smallest; infinite if the rank is not full.
    steadiness
        Squared mean over mean square of the inputs' variance at each step: 1 where it is the same at all, 1 / T where
        all of it is at one. Squares are products of different trajectories, so that few of them do not bias it.
    """

    rank: int
    dimension: int
    condition: float
    steadiness: float


def excitation(centred: WithoutTrialLocked, lags: int, first_lag: int = 0) -> Excitation:
    """Check that moments can be had of these inputs.

    Parameters
    ----------
    centred
        Trajectories about their mean.
    lags, first_lag
        Of the moments.

    Raises
    ------
    DataError
        If there are no inputs, or they are constant, the same in every trajectory, combinations of one another, of too
        low rank over the lags, or vary at a few steps only.
    """
    m = centred.trajectories.n_inputs
    if m == 0:
        raise DataError("no inputs", "inputs, from whose products with outputs moments are made", _INSTEAD)
    _check_that_each_varies(centred)
    unit = _of_unit_size(centred)
    _check_that_none_is_made_of_others(unit)
    found = _excitation_of(unit, lags, first_lag)
    if found.rank < found.dimension:
        raise DataError(
            f"lagged inputs of rank {found.rank}",
            f"rank {found.dimension}, for {m} inputs at {lags} lags",
            f"take inputs that change faster, wider bins, fewer lags (moments.lags), or {_INSTEAD}",
        )
    if found.steadiness < _LEAST_STEADINESS:
        raise DataError(
            "inputs that vary at few steps: the squared mean of their variance at each step is "
            f"{found.steadiness:.2g} times its mean square",
            f"at least {_LEAST_STEADINESS}; 1 where it is the same at all steps",
            f"cut trajectories to the steps at which inputs vary, or {_INSTEAD}",
        )
    return found


def measured_excitation(centred: WithoutTrialLocked, lags: int, first_lag: int = 0) -> Excitation:
    """The same numbers of any inputs, good or not.

    Parameters
    ----------
    centred
        Trajectories about their mean, with one input or more.
    lags, first_lag
        No more together than the longest trajectory has steps.
    """
    return _excitation_of(_of_unit_size(centred), lags, first_lag)


def _excitation_of(unit: Trajectories, lags: int, first_lag: int) -> Excitation:
    values = np.linalg.eigvalsh(_covariance(unit, lags, first_lag))
    rank = int((values > max(_LEAST_SHARE * values[-1], 0.0)).sum())
    condition = float(values[-1] / values[0]) if rank == len(values) else np.inf
    return Excitation(rank, len(values), condition, _steadiness(unit))


def _sizes(centred: WithoutTrialLocked) -> Float[np.ndarray, " m"]:
    """Standard deviations; zero where rounding is left once what trajectories have in common is taken out."""
    sizes = centred.trajectories.inputs.std(axis=(0, 1), where=centred.trajectories.inside()[..., None])
    return np.where(sizes <= np.sqrt(_LEAST_SHARE) * centred.sizes, 0.0, sizes)


def _of_unit_size(centred: WithoutTrialLocked) -> Trajectories:
    """Inputs of standard deviation 1; zero where they are still."""
    own, sizes = centred.trajectories, _sizes(centred)
    return Trajectories(own.inputs / np.where(sizes > 0, sizes, np.inf), own.outputs, own.lengths)


def _check_that_each_varies(centred: WithoutTrialLocked) -> None:
    still = np.flatnonzero(_sizes(centred) == 0)
    if not len(still):
        return
    if centred.sizes[still[0]] > 0:
        raise DataError(
            f"input {still[0]} is the same in each of {len(centred.trajectories)} trajectories",
            "inputs that differ between trajectories: what the same input does in all cannot be told from their mean",
            f"take as input what differs (the movement, not its cue), or {_INSTEAD}",
        )
    raise DataError(
        f"input {still[0]} is constant",
        "inputs that vary over steps and trajectories",
        f"leave it out, or {_INSTEAD}",
    )


def _check_that_none_is_made_of_others(unit: Trajectories) -> None:
    inputs = unit.inputs[unit.inside()]
    values, vectors = np.linalg.eigh(inputs.T @ inputs)
    if values[0] <= _LEAST_SHARE * values[-1]:
        mixed = np.flatnonzero(np.abs(vectors[:, 0]) > np.sqrt(_LEAST_SHARE))
        raise DataError(
            f"inputs {', '.join(map(str, mixed))} are combinations of one another",
            f"{unit.n_inputs} inputs that vary independently",
            f"leave one of them out, or {_INSTEAD}",
        )


def _covariance(unit: Trajectories, lags: int, first_lag: int) -> Float[np.ndarray, "d d"]:
    """Sum of products of lagged inputs."""
    d = lags * unit.n_inputs
    total, start = np.zeros((d, d)), lags + first_lag - 1
    at_once = max(1, _VALUES_AT_ONCE // max(1, d * unit.inputs.shape[1]))
    for first in range(0, len(unit), at_once):
        part = unit[first : first + at_once]
        rows = lagged_inputs(part.inputs, lags, first_lag)[part.inside()[:, start:]]
        total += rows.T @ rows
    return total


def _steadiness(unit: Trajectories) -> float:
    inside = unit.inside()
    powers = (unit.inputs**2).sum(axis=2) * inside
    counts = inside.sum(axis=0)
    pairs = counts * (counts - 1)
    if not pairs.any():
        return 1.0
    mean = float(powers.sum() / counts.sum())
    square = float((powers.sum(axis=0) ** 2 - (powers**2).sum(axis=0)).sum() / pairs.sum())
    return min(1.0, mean**2 / square) if square > 0 else 1.0
