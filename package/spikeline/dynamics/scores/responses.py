"""Errors of impulse responses, which no choice of coordinates changes."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from spikeline.dynamics.scores.matching import ComponentMatch

__all__ = ["relative_markov_error"]


def relative_markov_error(match: ComponentMatch, true: Float[np.ndarray, "K lags q m"]) -> float:
    """Mean over components of the error of the response over the response's own Frobenius norm."""
    return float((match.errors / np.linalg.norm(true.reshape(len(true), -1), axis=1)).mean())
