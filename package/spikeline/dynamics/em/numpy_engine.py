"""The E-step in numpy: the reference that faster engines are compared with."""

from __future__ import annotations

import dataclasses
import functools
import operator
from collections.abc import Iterator

import numpy as np
from jaxtyping import Float

from spikeline.dynamics.em.expectation import Expectation, responsibilities_of
from spikeline.dynamics.em.prepared import Chunk, PreparedTrajectories
from spikeline.dynamics.em.reduced_outputs import ReducedOutputs, reduced_outputs
from spikeline.dynamics.em.shared_covariances import AT_REST, SharedCovariances, covariance_sums, shared_covariances
from spikeline.dynamics.em.statistics_of_means import MeanSums, assembled
from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.trajectories import Trajectories

__all__ = ["NumpyEngine"]

_CHUNK_NUMBERS = 8_000_000


class NumpyEngine:
    """E-steps on trajectories without gaps: covariances once per component, means of many trajectories at a time.

    Parameters
    ----------
    trajectories
        Lengths may differ.
    chunk_numbers
        How many numbers of all components' states and reduced outputs may be there at the same time, in each of a few
        arrays: bounds the memory beside the trajectories themselves.
    at_rest
        When covariances count as constant (see `shared_covariances`); 0: never.
    """

    def __init__(
        self, trajectories: Trajectories, *, chunk_numbers: int = _CHUNK_NUMBERS, at_rest: float = AT_REST
    ) -> None:
        self._prepared = PreparedTrajectories(trajectories)
        self._chunk_numbers, self._at_rest = chunk_numbers, at_rest

    def expectation(self, mixture: Mixture) -> Expectation:
        """The E-step under a mixture."""
        reduced, covariances = self._of_components(mixture)
        log_likelihoods = np.empty(len(self._prepared))
        responsibilities = np.empty((len(self._prepared), mixture.n_components))
        sums: list[MeanSums] = []
        for chunk in self._chunks(mixture):
            predicted, means, of_components = _filtered(mixture, reduced, covariances, chunk)
            log_likelihoods[chunk.own], weights = responsibilities_of(of_components, mixture.weights)
            responsibilities[chunk.own] = weights
            _smooth(predicted, means, covariances, chunk)
            sums.append(_mean_sums(means, weights, chunk))
        total = functools.reduce(operator.add, sums)
        lengths = self._prepared.lengths
        spread = covariance_sums(covariances, lengths, responsibilities, self._at_rest)
        statistics = assembled(total, spread, responsibilities.sum(axis=0), lengths @ responsibilities)
        return Expectation(log_likelihoods, responsibilities, statistics)

    def component_log_likelihoods(self, mixture: Mixture) -> Float[np.ndarray, "N K"]:
        """Log-likelihood of each trajectory under each component, nats, without the mixture's weights."""
        reduced, covariances = self._of_components(mixture)
        result = np.empty((len(self._prepared), mixture.n_components))
        for chunk in self._chunks(mixture):
            result[chunk.own] = _filtered(mixture, reduced, covariances, chunk)[2]
        return result

    def _of_components(self, mixture: Mixture) -> tuple[ReducedOutputs, SharedCovariances]:
        reduced = reduced_outputs(mixture)
        return reduced, shared_covariances(mixture, reduced, int(self._prepared.lengths.max()), self._at_rest)

    def _chunks(self, mixture: Mixture) -> Iterator[Chunk]:
        each = int(self._prepared.lengths.max()) * mixture.n_states * mixture.n_components
        return self._prepared.chunks(max(1, self._chunk_numbers // each))


def _filtered(
    mixture: Mixture, reduced: ReducedOutputs, covariances: SharedCovariances, chunk: Chunk
) -> tuple[Float[np.ndarray, "K T c n"], Float[np.ndarray, "K T c n"], Float[np.ndarray, "c K"]]:
    """Predicted and filtered means, zero beyond a trajectory's length, and log-likelihoods."""
    K, n, s = mixture.n_components, mixture.n_states, covariances.n_kept
    steps, c = chunk.outputs.shape[:2]
    A_gains = mixture.stacked("A")[:, None] @ covariances.gains
    # x-[t + 1] = F_t x-[t] + b_t, with b_t = A K_t y~[t] + B u[t]
    seen = _times(chunk.outputs, reduced.project) - _times(chunk.inputs, reduced.through)
    driven = _times(chunk.inputs, mixture.stacked("B"))
    s_here = min(s, steps)
    driven[:, :s_here] += seen[:, :s_here] @ A_gains[:, :s_here].swapaxes(2, 3)
    driven[:, s_here:] += seen[:, s_here:] @ A_gains[:, -1:].swapaxes(2, 3)
    predicted = np.zeros((K, steps, c, n))
    predicted[:, 0] = mixture.stacked("mu")[:, None]
    forward = np.ascontiguousarray(covariances.forward.swapaxes(2, 3))
    for t in range(steps - 1):
        running = chunk.running[t + 1]
        np.matmul(predicted[:, t, :running], forward[:, min(t, s - 1)], out=predicted[:, t + 1, :running])
        predicted[:, t + 1, :running] += driven[:, t, :running]

    seen -= predicted @ reduced.seen[:, None].swapaxes(2, 3)  # now the errors
    means = predicted.copy()
    surprise = np.zeros((c, K))
    for part, gains, roots in _constant_stretches(covariances, steps):
        means[:, part] += seen[:, part] @ gains.swapaxes(2, 3)
        whitened = seen[:, part] @ roots.swapaxes(2, 3)
        surprise += np.einsum("ktcr,ktcr->ck", whitened, whitened)
    q = chunk.outputs.shape[2]
    if reduced.left is not None:
        surprise += chunk.squares.reshape(c, -1) @ reduced.left.reshape(K, -1).T
    lengths = chunk.lengths
    determinants = covariances.log_root_sums(lengths) + lengths[:, None] * reduced.log_root
    return predicted, means, -0.5 * (surprise + (lengths * (q * np.log(2 * np.pi)))[:, None]) - determinants


def _smooth(
    predicted: Float[np.ndarray, "K T c n"],
    means: Float[np.ndarray, "K T c n"],
    covariances: SharedCovariances,
    chunk: Chunk,
) -> None:
    """Turn filtered means into smoothed ones: m_t = J_t m_(t+1) + x+_t - J_t x-_(t+1)."""
    last = covariances.n_kept - 1
    back = np.ascontiguousarray(covariances.back.swapaxes(2, 3))
    for t in range(means.shape[1] - 2, -1, -1):
        running = chunk.running[t + 1]
        later = means[:, t + 1, :running] - predicted[:, t + 1, :running]
        means[:, t, :running] += later @ back[:, min(t, last)]


def _constant_stretches(covariances: SharedCovariances, steps: int):
    """Steps, gains and inverse roots of the errors' covariances: one by one, then all that are at rest."""
    s = min(covariances.n_kept, steps)
    yield slice(0, s), covariances.gains[:, :s], covariances.root_inverses[:, :s]
    if steps > s:
        yield slice(s, steps), covariances.gains[:, -1:], covariances.root_inverses[:, -1:]


def _times(values: Float[np.ndarray, "T c a"], matrices: Float[np.ndarray, "K b a"]) -> Float[np.ndarray, "K T c b"]:
    return np.stack([values @ matrix.T for matrix in matrices])


def _mean_sums(means: Float[np.ndarray, "K T c n"], weights: Float[np.ndarray, "c K"], chunk: Chunk) -> MeanSums:
    K, steps, c, n = means.shape
    m = chunk.inputs.shape[2]
    inputs, outputs = chunk.inputs.reshape(steps * c, m), chunk.outputs.reshape(steps * c, -1)
    last = np.concatenate(
        [means[:, chunk.lengths - 1, np.arange(c)], np.broadcast_to(chunk.last_inputs, (K, c, m))], axis=2
    )
    parts: dict[str, list[np.ndarray]] = {field.name: [] for field in dataclasses.fields(MeanSums)}
    for k in range(K):
        x = means[k]
        weighted = x * weights[:, k, None]
        flat = weighted.reshape(steps * c, n)
        later = flat[c:].T
        parts["xx"].append(flat.T @ x.reshape(steps * c, n))
        parts["xu"].append(flat.T @ inputs)
        parts["yx"].append(outputs.T @ flat)
        parts["next_x"].append(later @ x[:-1].reshape(-1, n))
        parts["next_u"].append(later @ inputs[: len(inputs) - c])
        parts["first"].append(weighted[0].T @ x[0])
        parts["first_x"].append(weighted[0].sum(axis=0))
        parts["last"].append((last[k] * weights[:, k, None]).T @ last[k])
        parts["ww"].append(np.tensordot(weights[:, k], chunk.squares, axes=1))
    return MeanSums(**{name: np.stack(values) for name, values in parts.items()})
