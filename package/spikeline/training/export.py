"""Weights of a module to and from safetensors with a card."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from spikeline.artifacts import Provenance, read_weights, write_weights
from spikeline.errors import FormatError

__all__ = ["export_weights", "load_weights"]


def export_weights(
    module: nn.Module, path: str | Path, card: Mapping[str, Any], *, provenance: Provenance | None = None
) -> None:
    """Write weights and buffers of a module.

    Parameters
    ----------
    module
        On any device.
    path
        Ends in ``.safetensors``.
    card
        Plain values that say what the weights are: architecture, hyper-parameters, data and licence.
    provenance
        What they depended on.
    """
    arrays = {name: part.detach().cpu().numpy() for name, part in module.state_dict().items()}
    write_weights(path, arrays, card, provenance=provenance)


def load_weights(module: nn.Module, path: str | Path) -> dict[str, Any]:
    """Fill a module with weights from a file; nothing is changed unless everything fits.

    Returns
    -------
    card
        What was written with the weights.

    Raises
    ------
    FormatError
        If names, shapes or types are not the module's, or the file is damaged (`spikeline.artifacts.read_weights`).
    """
    arrays, card = read_weights(path)
    own = module.state_dict()
    problems = [
        *(f"missing {name}" for name in own if name not in arrays),
        *(f"unexpected {name}" for name in arrays if name not in own),
        *(
            f"{name} is {tuple(arrays[name].shape)} {arrays[name].dtype} and not {tuple(part.shape)} {_dtype(part)}"
            for name, part in own.items()
            if name in arrays and (arrays[name].shape != tuple(part.shape) or str(arrays[name].dtype) != _dtype(part))
        ),
    ]
    if problems:
        shown = "; ".join(problems[:8]) + (f"; and {len(problems) - 8} more" if len(problems) > 8 else "")
        raise FormatError(
            f"the weights of {path} are not those of a {type(module).__name__}: {shown}",
            f"the {len(own)} arrays of the module",
            "make the module with the hyper-parameters on the card beside the weights; train those of an older version "
            "again",
        )
    module.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})
    return card


def _dtype(part: torch.Tensor) -> str:
    return str(part.dtype).removeprefix("torch.")
