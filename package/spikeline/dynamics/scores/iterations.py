"""How soon EM is near its end."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

__all__ = ["iterations_to_near_final"]


def iterations_to_near_final(
    log_likelihoods: Float[np.ndarray, " iterations"], steps: float, nats_per_step: float = 1e-3
) -> int:
    """Iterations until the log-likelihood is so near the last one.

    Parameters
    ----------
    log_likelihoods
        Of all trajectories together before each M-step: the first is the start's.
    steps
        Of all trajectories together.
    nats_per_step
        What counts as near.
    """
    near = log_likelihoods >= log_likelihoods[-1] - nats_per_step * steps
    return int(near.argmax())
