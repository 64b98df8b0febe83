"""Trajectories of inputs and outputs, of one length or of several: what mixtures are fitted to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int64

from spikeline.errors import DataError

__all__ = ["Trajectories"]

_KINDS = {
    "inputs": ("fiu", 3, "an array of real numbers (trajectories, steps, inputs)"),
    "outputs": ("fiu", 3, "an array of real numbers (trajectories, steps, outputs)"),
    "lengths": ("iu", 1, "an array of whole numbers (trajectories,)"),
    "labels": ("iu", 1, "an array of whole numbers (trajectories,)"),
    "observed": ("b", 3, "an array of truth values (trajectories, steps, outputs)"),
}
"""Kinds of numbers, axes, and both in words."""


@dataclass(frozen=True)
class Trajectories:
    """N trajectories of at most T steps.

    Parameters
    ----------
    inputs, outputs
        What lies beyond a trajectory's length is not looked at. Kept in double precision, whatever they come in.
    lengths
        Steps of each.
    labels
        Which component made each, where that is known.
    observed
        Which outputs were observed; the others are missing, whatever stands there. None: all of them.

    Raises
    ------
    DataError
        If shapes do not fit, there is no output, a length is impossible, or a value within a trajectory is not finite.
    """

    inputs: Float[np.ndarray, "N T m"]
    outputs: Float[np.ndarray, "N T q"]
    lengths: Int64[np.ndarray, " N"]
    labels: Int64[np.ndarray, " N"] | None = None
    observed: Bool[np.ndarray, "N T q"] | None = None

    def __post_init__(self) -> None:
        self._check_kinds()
        for name in ("inputs", "outputs"):
            object.__setattr__(self, name, getattr(self, name).astype(np.float64, copy=False))
        n, longest = self.inputs.shape[:2]
        if self.outputs.shape[:2] != (n, longest) or self.lengths.shape != (n,):
            raise DataError(
                f"inputs {self.inputs.shape}, outputs {self.outputs.shape}, lengths {self.lengths.shape}",
                "arrays (N, T, m), (N, T, q) and (N,) of the same N and T",
                "pad shorter trajectories to the longest, and say their lengths",
            )
        if self.n_outputs == 0:
            raise DataError(f"outputs of shape {self.outputs.shape}: none", "one output or more", "give outputs")
        wrong = np.flatnonzero((self.lengths < 1) | (self.lengths > longest))
        if len(wrong):
            raise DataError(
                f"trajectory {wrong[0]} has the length {self.lengths[wrong[0]]}",
                f"1 to {longest}",
                "correct the lengths",
            )
        if self.observed is not None and self.observed.shape != self.outputs.shape:
            raise DataError(
                f"observed has shape {self.observed.shape}",
                f"that of the outputs, {self.outputs.shape}",
                "say of each output whether it was observed",
            )
        inside = self.inside()
        seen = self.outputs if self.observed is None else np.where(self.observed, self.outputs, 0.0)
        for name, values, missing in (
            ("input", self.inputs, ""),
            ("output", seen, "; missing outputs are marked by observed=numpy.isfinite(outputs)"),
        ):
            bad = np.argwhere(~np.isfinite(values).all(axis=2) & inside)
            if len(bad):
                raise DataError(
                    f"an {name} of trajectory {bad[0, 0]} is not finite at step {bad[0, 1]}",
                    "finite numbers within each trajectory",
                    f"leave the trajectory out, or cut it before that step{missing}",
                )

    def _check_kinds(self) -> None:
        """Refuse what is no array, or an array of another kind or number of axes: what comes after would misread it."""
        for name, (kinds, axes, words) in _KINDS.items():
            value = getattr(self, name)
            if value is None and name in ("labels", "observed"):
                continue
            seen = f"{value.dtype} {value.shape}" if isinstance(value, np.ndarray) else type(value).__name__
            if not isinstance(value, np.ndarray) or value.dtype.kind not in kinds or value.ndim != axes:
                raise DataError(
                    f"{name}: {seen}", words, f"convert it, e.g. with numpy.asarray, or reshape it to {axes} axes"
                )
        if self.labels is not None and self.labels.shape != self.lengths.shape:
            raise DataError(
                f"{len(self.labels)} labels of {len(self.lengths)} trajectories", "one for each", "correct the labels"
            )

    @property
    def n_inputs(self) -> int:
        """m."""
        return self.inputs.shape[2]

    @property
    def n_outputs(self) -> int:
        """q."""
        return self.outputs.shape[2]

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, chosen: slice | np.ndarray) -> Trajectories:
        """Some of them, by a slice, indices or a mask."""
        labels, observed = (None if part is None else part[chosen] for part in (self.labels, self.observed))
        return Trajectories(self.inputs[chosen], self.outputs[chosen], self.lengths[chosen], labels, observed)

    def inside(self) -> Bool[np.ndarray, "N T"]:
        """Which steps belong to their trajectory."""
        return np.arange(self.inputs.shape[1]) < self.lengths[:, None]

    def known(self) -> Bool[np.ndarray, "N T q"]:
        """Which outputs are within their trajectory and not missing."""
        inside = np.broadcast_to(self.inside()[..., None], self.outputs.shape)
        return inside.copy() if self.observed is None else inside & self.observed
