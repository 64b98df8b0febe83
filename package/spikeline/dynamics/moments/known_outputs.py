"""Which outputs are there to be used."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool

from spikeline.dynamics.trajectories import Trajectories

__all__ = ["known_outputs"]


def known_outputs(trajectories: Trajectories) -> Bool[np.ndarray, "N T q"]:
    """Those within their trajectory that are not missing."""
    inside = np.broadcast_to(trajectories.inside()[..., None], trajectories.outputs.shape)
    return inside.copy() if trajectories.observed is None else inside & trajectories.observed
