"""How Lightning reads and writes checkpoints here: through `Checkpoints`, without pickle."""

from __future__ import annotations

from typing import Any

import torch
from lightning.pytorch.plugins.io import CheckpointIO

from spikeline.training.checkpoints import Checkpoints
from spikeline.training.finite import check_weights

__all__ = ["CheckpointPlugin"]

# What the module was made with: any objects, which the caller has anyway.
_LEFT_OUT = ("hyper_parameters", "hparams_name", "hparams_type")


class CheckpointPlugin(CheckpointIO):
    """Lightning's plugin.

    Parameters
    ----------
    checkpoints
        Where they lie.
    state
        The checkpoint to go on from, read already; None for a new training.
    identity
        Written into every checkpoint.
    """

    def __init__(self, checkpoints: Checkpoints, state: dict[str, Any] | None, identity: dict[str, Any]) -> None:
        self._checkpoints, self._state, self._identity = checkpoints, state, identity

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Write it, unless its weights are no numbers: the one before is then the last."""
        kept = {key: value for key, value in checkpoint.items() if key not in _LEFT_OUT}
        check_weights(kept["state_dict"], kept["global_step"])
        self._checkpoints.write(
            kept["global_step"], {**kept, "identity": self._identity, "threads": torch.get_num_threads()}
        )

    def load_checkpoint(self, path: Any, map_location: Any = None, weights_only: bool | None = None) -> dict[str, Any]:
        """The state that was read when the newest whole checkpoint was looked for."""
        assert self._state is not None
        state, self._state = self._state, None
        return state

    def remove_checkpoint(self, path: Any) -> None:
        """`Checkpoints` does that."""
