"""What engines make of trajectories once, before any mixture: an order, chunks, and sums that data alone decide."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int64

from spikeline.dynamics.trajectories import Trajectories

__all__ = ["Chunk", "PreparedTrajectories"]


@dataclass(frozen=True)
class Chunk:
    """Some trajectories, longest first; time comes first, and what lies beyond a length is zero.

    Parameters
    ----------
    own
        Which trajectories these are.
    lengths
        Of each.
    running
        How many are longer than t.
    inputs, outputs
        u and y.
    squares
        Sum over steps of w w' with w = (y, u), of each trajectory.
    last_inputs
        u of each one's last step.
    """

    own: Int64[np.ndarray, " c"]
    lengths: Int64[np.ndarray, " c"]
    running: Int64[np.ndarray, " T"]
    inputs: Float[np.ndarray, "T c m"]
    outputs: Float[np.ndarray, "T c q"]
    squares: Float[np.ndarray, "c q_plus_m q_plus_m"]
    last_inputs: Float[np.ndarray, "c m"]


class PreparedTrajectories:
    """Trajectories in order of length.

    Parameters
    ----------
    trajectories
        Without gaps; lengths may differ.
    """

    def __init__(self, trajectories: Trajectories) -> None:
        self._trajectories = trajectories
        self._order = np.argsort(-trajectories.lengths, kind="stable")
        self._chunks: tuple[int, list[Chunk]] = (0, [])

    def __len__(self) -> int:
        return len(self._trajectories)

    @property
    def lengths(self) -> Int64[np.ndarray, " N"]:
        """Of all trajectories, as they came."""
        return self._trajectories.lengths

    def chunks(self, size: int) -> Iterator[Chunk]:
        """All trajectories, at most ``size`` at a time; made once for each size that is asked for in a row."""
        if self._chunks[0] != size:
            parts = [self._order[first : first + size] for first in range(0, len(self), size)]
            self._chunks = (size, [self._chunk(part) for part in parts])
        yield from self._chunks[1]

    def _chunk(self, own: Int64[np.ndarray, " c"]) -> Chunk:
        lengths = self._trajectories.lengths[own]
        inside = np.arange(lengths[0]) < lengths[:, None]
        inputs, outputs = (
            np.where(inside[..., None], values[own, : lengths[0]], 0.0)
            for values in (self._trajectories.inputs, self._trajectories.outputs)
        )
        both = np.concatenate([outputs, inputs], axis=2)
        return Chunk(
            own,
            lengths,
            inside.sum(axis=0),
            np.ascontiguousarray(inputs.swapaxes(0, 1)),
            np.ascontiguousarray(outputs.swapaxes(0, 1)),
            both.swapaxes(1, 2) @ both,
            inputs[np.arange(len(own)), lengths - 1],
        )
