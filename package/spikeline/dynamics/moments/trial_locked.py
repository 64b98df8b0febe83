"""What inputs and outputs have in common over all trajectories, taken out: moments see what differs between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from spikeline.dynamics.trajectories import Trajectories

__all__ = ["WithoutTrialLocked", "without_trial_locked"]

_TIMES_CHANCE = 2.0
_ROUNDING = 1e-9


@dataclass(frozen=True)
class WithoutTrialLocked:
    """Trajectories about their mean.

    Parameters
    ----------
    trajectories
        Inputs and outputs without their means; zero where an output is not known, and beyond the ends.
    share
        Of the inputs' variance, how much the mean over trajectories at each step made up.
    chance
        How much that is for inputs that have nothing in common: one mean in as many samples as there are trajectories.
    removed_power
        Of the inputs' mean square, how much was taken out. What each component answers to it is left in the outputs,
        and is noise to the moments.
    removed
        Whether the mean of each step was taken out, and not the mean over all steps alone.
    sizes
        Of each input, the standard deviation about its mean over all steps; zero where that is rounding.
    """

    trajectories: Trajectories
    share: float
    chance: float
    removed_power: float
    removed: bool
    sizes: Float[np.ndarray, " m"]


def without_trial_locked(trajectories: Trajectories) -> WithoutTrialLocked:
    """Take out the mean over all steps; and where it is at least twice chance, the mean of each step.

    Both only add to an output what does not depend on how a trajectory's inputs differ from the others', so that the
    moments' expectations stay what they are.

    Parameters
    ----------
    trajectories
        Of inputs that start at the same event, or at any time.
    """
    inside = np.broadcast_to(trajectories.inside()[..., None], trajectories.inputs.shape)
    inputs = _about_mean(trajectories.inputs, inside, (0, 1))
    sizes = np.sqrt(_mean(inputs**2, inside, (0, 1))[0, 0])
    largest = np.abs(trajectories.inputs).max(axis=(0, 1), where=inside, initial=0.0)
    sizes[sizes <= _ROUNDING * largest] = 0.0
    units = np.where(sizes > 0, sizes, 1.0)
    unit = inputs / units
    samples = max(1, int(trajectories.lengths.sum()))
    variance = float((unit**2).sum())
    share = float(((_mean(unit, inside, (0,)) ** 2) * inside).sum()) / variance if variance > 0 else 0.0
    chance = int(trajectories.inside().any(axis=0).sum()) / samples
    removed = share >= _TIMES_CHANCE * chance - _ROUNDING
    known = trajectories.known()
    outputs = _about_mean(trajectories.outputs, known, (0, 1))
    if removed:
        inputs, outputs = _about_mean(inputs, inside, (0,)), _about_mean(outputs, known, (0,))
    power = float(np.sum((trajectories.inputs / units) ** 2, where=inside))
    left = float(((inputs / units) ** 2).sum())
    removed_power = 1 - left / power if power > 0 else 0.0
    centred = Trajectories(inputs, outputs, trajectories.lengths, trajectories.labels, trajectories.observed)
    return WithoutTrialLocked(centred, share, chance, removed_power, removed, sizes)


def _mean(
    values: Float[np.ndarray, "N T c"], known: Bool[np.ndarray, "N T c"], axes: tuple[int, ...]
) -> Float[np.ndarray, "one_or_N one_or_T c"]:
    count = np.maximum(known.sum(axis=axes, keepdims=True), 1)
    return np.sum(values, axis=axes, keepdims=True, where=known) / count


def _about_mean(
    values: Float[np.ndarray, "N T c"], known: Bool[np.ndarray, "N T c"], axes: tuple[int, ...]
) -> Float[np.ndarray, "N T c"]:
    return np.where(known, values - _mean(values, known, axes), 0.0)
