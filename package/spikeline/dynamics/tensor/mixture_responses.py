"""From the two moments to each component's impulse response and weight: the tensor stage's result."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from spikeline.dynamics.tensor.tensor_decomposition import TensorComponents
from spikeline.dynamics.tensor.whitening import Whitening

__all__ = ["MixtureResponses", "mixture_responses"]

_LEAST_WEIGHT = 0.02


@dataclass(frozen=True)
class MixtureResponses:
    """Impulse responses of K components.

    Parameters
    ----------
    markov
        Lag by lag; with ``first_lag`` 1 the feedthrough, lag 0, is zero.
    weights
        Of the mixture, sum 1.
    raw_weight_sum
        Before they were clipped and scaled to sum 1: far from 1, the moments are too noisy, or K is wrong.
    """

    markov: Float[np.ndarray, "K lags q m"]
    weights: Float[np.ndarray, " K"]
    raw_weight_sum: float


def mixture_responses(
    whitening: Whitening,
    third: Float[np.ndarray, "K K K"],
    decompose: Callable[[Float[np.ndarray, "K K K"]], TensorComponents],
    n_inputs: int,
    n_outputs: int,
    *,
    first_lag: int = 0,
) -> MixtureResponses:
    """Take the whitened third moment apart and undo the whitening.

    The whitened moment is sum_k p_k^(-1/2) alpha_k^(x)3 with orthonormal alpha_k = p_k^(1/2) W' b_k, so a weight
    lambda_k of the decomposition gives p_k = lambda_k^(-2) and b_k = lambda_k (W')^+ alpha_k.

    Parameters
    ----------
    whitening
        Of the second moment (`whitening.whitened_directions`).
    third
        Third moment seen through it.
    decompose
        `tensor_decomposition.simultaneous_diagonalisation` or ``power_method`` with its generator.
    n_inputs, n_outputs
        m and q.
    first_lag
        As for the moments.
    """
    parts = decompose(third)
    tiny = np.finfo(float).tiny
    responses = whitening.back @ (parts.vectors * parts.weights)
    raw = 1 / np.maximum(parts.weights, np.sqrt(tiny)) ** 2
    weights = np.clip(raw, _LEAST_WEIGHT, 1.0)
    K, d = len(parts.weights), len(responses)
    lags = d // (n_inputs * n_outputs)
    # vec(y v') has outputs outermost, then lags, then inputs
    markov = responses.T.reshape(K, n_outputs, lags, n_inputs).transpose(0, 2, 1, 3)
    nothing = np.zeros((K, first_lag, n_outputs, n_inputs))
    return MixtureResponses(np.concatenate([nothing, markov], axis=1), weights / weights.sum(), float(raw.sum()))
