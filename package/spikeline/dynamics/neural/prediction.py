"""How well outputs of held-out trials are predicted some steps ahead."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from spikeline.dynamics.trajectories import Trajectories
from spikeline.errors import DataError

__all__ = ["explained_share"]


def explained_share(
    predicted: Float[np.ndarray, "N T q"], trajectories: Trajectories, first_step: int
) -> tuple[float, int]:
    """R2: 1 - sum of squared errors / sum of squared outputs, over all outputs together.

    Outputs are measured from zero, the mean of the training trials: a prediction of that mean scores 0.

    Parameters
    ----------
    predicted
        Of the trajectories; steps before ``first_step`` are not scored.
    trajectories
        Held-out ones.
    first_step
        The first step that the farthest prediction to be compared can be had of, so that all are scored on the same.

    Returns
    -------
    tuple
        R2, and the number of outputs that it is of.

    Raises
    ------
    DataError
        If no trajectory goes that far.
    """
    scored = trajectories.inside()
    scored[:, :first_step] = False
    if not scored.any():
        raise DataError(
            f"held-out trajectories of {trajectories.lengths.max()} steps at most",
            f"more than {first_step} steps, the largest of horizons",
            "lower horizons",
        )
    truth = trajectories.outputs[scored]
    return 1 - float(((truth - predicted[scored]) ** 2).sum() / (truth**2).sum()), truth.size
