"""The E-step in torch: for GPUs, where all components and trajectories of a step are one product of matrices."""

from __future__ import annotations

import functools
import operator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from jaxtyping import Float

from spikeline.dynamics.em import affine_scan
from spikeline.dynamics.em.expectation import Expectation, responsibilities_of
from spikeline.dynamics.em.prepared import Chunk, PreparedTrajectories
from spikeline.dynamics.em.reduced_outputs import ReducedOutputs, reduced_outputs
from spikeline.dynamics.em.shared_covariances import AT_REST, SharedCovariances, covariance_sums, shared_covariances
from spikeline.dynamics.em.statistics_of_means import MeanSums, assembled
from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.trajectories import Trajectories
from spikeline.errors import ConfigError

__all__ = ["TorchEngine"]

_CHUNK_NUMBERS = {"cpu": 8_000_000, "cuda": 64_000_000}
_ROUNDING = {"float64": 1e-8, "float32": 1e-6}
_SCANS = {"sequential": affine_scan.sequential, "associative": affine_scan.associative}


class TorchEngine:
    """E-steps on trajectories without gaps.

    Parameters
    ----------
    trajectories
        Lengths may differ.
    device
        None: a GPU if there is one.
    dtype
        float64, or float32: means and sums over them are single, covariances, likelihoods' sums and what depends on
        data alone double. Measured (n up to 10, q up to 64, 500 steps, noise down to a millionth): log-likelihoods
        within 2e-7 nat per number, statistics within 5e-6 of their largest entry.
    scan
        sequential: one step of time after the other. associative: in log T rounds; for few and long trajectories (T
        of 2000 and more).
    chunk_numbers, at_rest
        As for `NumpyEngine`.

    Raises
    ------
    ConfigError
        If the device is not there.
    """

    def __init__(
        self,
        trajectories: Trajectories,
        *,
        device: str | None = None,
        dtype: Literal["float64", "float32"] = "float64",
        scan: Literal["sequential", "associative"] = "sequential",
        chunk_numbers: int | None = None,
        at_rest: float = AT_REST,
    ) -> None:
        available = torch.cuda.is_available()
        self._device = torch.device(device or ("cuda" if available else "cpu"))
        if self._device.type == "cuda" and not available:
            raise ConfigError(f"device: {device}", "a GPU that torch can use", "pass device='cpu'")
        self._dtype = getattr(torch, dtype)
        self._scan = _SCANS[scan]
        self._prepared = PreparedTrajectories(trajectories)
        self._chunk_numbers = chunk_numbers or _CHUNK_NUMBERS[self._device.type]
        self._at_rest = at_rest
        self._chunks: tuple[int, list[_DeviceChunk]] = (0, [])
        self.name = f"TorchEngine {dtype} {scan} {self._device.type}"  # all that decides the bytes of its results
        self.rounding = _ROUNDING[dtype]  # by how many nats per number a likelihood may seem to fall

    def expectation(self, mixture: Mixture) -> Expectation:
        """The E-step under a mixture."""
        model = self._model(mixture)
        log_likelihoods = np.empty(len(self._prepared))
        responsibilities = np.empty((len(self._prepared), mixture.n_components))
        sums: list[MeanSums] = []
        for chunk in self._chunks_for(mixture):
            predicted, means, of_components = self._filtered(model, chunk)
            own = chunk.source.own
            log_likelihoods[own], responsibilities[own] = responsibilities_of(of_components, mixture.weights)
            means = self._smoothed(model, chunk, predicted, means)
            weights = torch.as_tensor(responsibilities[own], dtype=self._dtype, device=self._device)
            sums.append(_mean_sums(means, weights, chunk))
        total = functools.reduce(operator.add, sums)
        lengths = self._prepared.lengths
        spread = covariance_sums(model.covariances, lengths, responsibilities, self._at_rest)
        statistics = assembled(total, spread, responsibilities.sum(axis=0), lengths @ responsibilities)
        return Expectation(log_likelihoods, responsibilities, statistics)

    def component_log_likelihoods(self, mixture: Mixture) -> Float[np.ndarray, "N K"]:
        """Log-likelihood of each trajectory under each component, nats, without the mixture's weights."""
        model = self._model(mixture)
        result = np.empty((len(self._prepared), mixture.n_components))
        for chunk in self._chunks_for(mixture):
            result[chunk.source.own] = self._filtered(model, chunk)[2]
        return result

    def _on_device(self, values: np.ndarray, dtype: torch.dtype | None = None) -> torch.Tensor:
        return torch.as_tensor(np.ascontiguousarray(values), dtype=dtype or self._dtype, device=self._device)

    def _model(self, mixture: Mixture) -> _Model:
        reduced = reduced_outputs(mixture)
        covariances = shared_covariances(mixture, reduced, int(self._prepared.lengths.max()), self._at_rest)
        parts = {
            "project": reduced.project,
            "through": reduced.through,
            "seen": reduced.seen,
            "B": mixture.stacked("B"),
            "mu": mixture.stacked("mu"),
            "gains": covariances.gains,
            "moved_gains": mixture.stacked("A")[:, None] @ covariances.gains,
            "root_inverses": covariances.root_inverses,
            "forward": covariances.forward,
            "back": covariances.back,
        }
        return _Model(reduced, covariances, {name: self._on_device(values) for name, values in parts.items()})

    def _chunks_for(self, mixture: Mixture) -> list[_DeviceChunk]:
        each = int(self._prepared.lengths.max()) * mixture.n_states * mixture.n_components
        size = max(1, self._chunk_numbers // each)
        if self._chunks[0] != size:
            chunks = []
            for chunk in self._prepared.chunks(size):
                inside = np.arange(len(chunk.running))[:, None] < chunk.lengths
                chunks.append(
                    _DeviceChunk(
                        chunk,
                        self._on_device(chunk.inputs),
                        self._on_device(chunk.outputs),
                        None if inside.all() else self._on_device(inside[..., None], torch.bool),
                    )
                )
            self._chunks = (size, chunks)
        return self._chunks[1]

    def _filtered(self, model: _Model, chunk: _DeviceChunk) -> tuple[torch.Tensor, torch.Tensor, np.ndarray]:
        """Predicted and filtered means (K, T, c, n), zero beyond a trajectory's length, and log-likelihoods (c, K)."""
        on = model.tensors
        steps = len(chunk.inputs)
        seen = _times(chunk.outputs, on["project"]) - _times(chunk.inputs, on["through"])
        driven = _times(chunk.inputs, on["B"])
        # x-[t + 1] = F_t x-[t] + A K_t y~[t] + B u[t], and x-[0] = mu
        predicted = torch.empty_like(driven)
        predicted[:, 0] = on["mu"][:, None]
        predicted[:, 1:] = driven[:, :-1]
        for part, (gains,) in _stretches(steps - 1, on["moved_gains"]):
            predicted[:, 1:][:, part] += seen[:, :-1][:, part] @ gains.transpose(2, 3)
        before_first = torch.zeros_like(on["forward"][:, :1])
        predicted = self._scan(torch.cat([before_first, on["forward"][:, : steps - 1]], dim=1), predicted)
        predicted = chunk.cut(predicted)

        errors = seen - predicted @ on["seen"][:, None].transpose(2, 3)
        means = predicted.clone()
        surprise = 0.0
        for part, (gains, roots) in _stretches(steps, on["gains"], on["root_inverses"]):
            means[:, part] += errors[:, part] @ gains.transpose(2, 3)
            surprise = surprise + _squares(errors[:, part] @ roots.transpose(2, 3))
        return predicted, means, model.log_likelihoods(chunk.source, surprise.cpu().numpy())

    def _smoothed(
        self, model: _Model, chunk: _DeviceChunk, predicted: torch.Tensor, means: torch.Tensor
    ) -> torch.Tensor:
        """m_t = J_t m_(t+1) + x+_t - J_t x-_(t+1), backwards; beyond a trajectory's length all of these are zero."""
        steps = means.shape[1]
        back = model.tensors["back"]
        for part, (gains,) in _stretches(steps - 1, back):
            means[:, :-1][:, part] -= predicted[:, 1:][:, part] @ gains.transpose(2, 3)
        kept = back.shape[1]
        if kept < steps:
            back = torch.cat([back, back[:, -1:].expand(-1, steps - kept, -1, -1)], dim=1)
        return self._scan(back[:, :steps].flip(1), means.flip(1)).flip(1)


@dataclass(frozen=True)
class _Model:
    """A mixture ready for means: what it decides without data, and the matrices on the device."""

    reduced: ReducedOutputs
    covariances: SharedCovariances
    tensors: dict[str, torch.Tensor]

    def log_likelihoods(self, chunk: Chunk, surprise: np.ndarray) -> np.ndarray:
        left = self.reduced.left
        if left is not None:
            surprise = surprise + chunk.squares.reshape(len(chunk.own), -1) @ left.reshape(len(left), -1).T
        lengths, q = chunk.lengths[:, None], self.reduced.project.shape[2]
        determinants = self.covariances.log_root_sums(chunk.lengths) + lengths * self.reduced.log_root
        return -0.5 * (surprise + lengths * (q * np.log(2 * np.pi))) - determinants


@dataclass(frozen=True)
class _DeviceChunk:
    """A chunk, and its arrays (T, c, ...) on the device; ``inside`` is None if all its trajectories are as long."""

    source: Chunk
    inputs: torch.Tensor
    outputs: torch.Tensor
    inside: torch.Tensor | None

    def cut(self, values: torch.Tensor) -> torch.Tensor:
        return values if self.inside is None else torch.where(self.inside, values, 0.0)


def _stretches(steps: int, *matrices: torch.Tensor):
    """Steps and the matrices (K, t, a, b) that hold there: one by one, then the last of them for all that are left."""
    s = min(matrices[0].shape[1], steps)
    yield slice(0, s), tuple(part[:, :s] for part in matrices)
    if steps > s:
        yield slice(s, steps), tuple(part[:, -1:] for part in matrices)


def _times(values: torch.Tensor, matrices: torch.Tensor) -> torch.Tensor:
    """(T, c, a) times each (b, a) of (K, b, a)': (K, T, c, b)."""
    return values.expand(len(matrices), -1, -1, -1) @ matrices[:, None].transpose(2, 3)


def _squares(values: torch.Tensor) -> torch.Tensor:
    """Sum of squares over steps and entries, (c, K), in double precision."""
    return values.square().sum(dim=(1, 3), dtype=torch.float64).T


def _mean_sums(means: torch.Tensor, weights: torch.Tensor, chunk: _DeviceChunk) -> MeanSums:
    K, steps, c, n = means.shape
    weight = weights.T[:, None, :, None]
    weighted = means * weight
    turned = weighted.reshape(K, steps * c, n).transpose(1, 2)
    flat = means.reshape(K, steps * c, n)
    inputs, outputs = chunk.inputs.reshape(steps * c, -1), chunk.outputs.reshape(steps * c, -1)
    ends = torch.as_tensor(chunk.source.lengths - 1, device=means.device)
    every = torch.arange(c, device=means.device)
    last = torch.cat([means[:, ends, every], chunk.inputs[ends, every].expand(K, -1, -1)], dim=2)
    sums = {
        "xx": turned @ flat,
        "xu": turned @ inputs,
        "yx": (turned @ outputs).transpose(1, 2),
        "next_x": turned[:, :, c:] @ flat[:, : (steps - 1) * c],
        "next_u": turned[:, :, c:] @ inputs[: (steps - 1) * c],
        "first": weighted[:, 0].transpose(1, 2) @ means[:, 0],
        "first_x": weighted[:, 0].sum(dim=1),
        "last": (last * weight[:, 0]).transpose(1, 2) @ last,
    }
    squares = np.tensordot(weights.T.cpu().double().numpy(), chunk.source.squares, axes=1)
    return MeanSums(ww=squares, **{name: value.cpu().double().numpy() for name, value in sums.items()})
