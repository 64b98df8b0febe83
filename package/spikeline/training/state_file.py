"""Nested dictionaries and lists of tensors and plain values in one safetensors file: no pickle, so nothing can run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from spikeline.artifacts import Provenance, atomic_file, file_checksum, read_manifest, write_manifest
from spikeline.errors import FormatError

__all__ = ["read_state", "write_state"]

SCHEMA = "training-checkpoint"


def _encode(value: Any, tensors: dict[str, torch.Tensor], where: str) -> Any:
    """Containers become one-key objects that name their kind, tensors are put aside, plain values stay."""
    if isinstance(value, torch.Tensor):
        name = str(len(tensors))
        # A copy, because weights may share memory, which safetensors refuses, and training goes on meanwhile.
        tensors[name] = value.detach().to("cpu", copy=True).contiguous()
        return {"tensor": name}
    if isinstance(value, dict):
        return {"dict": [[key, _encode(part, tensors, f"{where}.{key}")] for key, part in value.items()]}
    if isinstance(value, (tuple, list)):
        kind = "tuple" if isinstance(value, tuple) else "list"
        return {kind: [_encode(part, tensors, f"{where}[{i}]") for i, part in enumerate(value)]}
    if hasattr(value, "dtype") and hasattr(value, "tolist"):
        if value.ndim == 0:
            return value.tolist()
        return {"array": _encode(torch.from_numpy(value), tensors, where)}
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    raise FormatError(
        f"{where or 'the state'} is a {type(value).__name__}",
        "tensors, arrays, numbers, text, and dictionaries, tuples or lists of them",
        "keep other objects out of what the module saves (on_save_checkpoint, get_extra_state)",
    )


def _decode(value: Any, tensors: dict[str, torch.Tensor]) -> Any:
    if not isinstance(value, dict):
        return value
    ((kind, content),) = value.items()
    if kind == "tensor":
        return tensors[content]
    if kind == "array":
        return _decode(content, tensors).numpy()
    if kind == "dict":
        return {key: _decode(part, tensors) for key, part in content}
    parts = [_decode(part, tensors) for part in content]
    return tuple(parts) if kind == "tuple" else parts


def write_state(path: Path, state: dict[str, Any], provenance: Provenance | None = None) -> None:
    """Write a state with its manifest, atomically.

    Raises
    ------
    FormatError
        If it holds anything but tensors, arrays and plain values.
    """
    from safetensors.torch import save

    tensors: dict[str, torch.Tensor] = {}
    tree = json.dumps(_encode(state, tensors, ""))
    with atomic_file(path) as temporary:
        temporary.write_bytes(save(tensors, {"tree": tree}))
    write_manifest(path, schema=SCHEMA, provenance=provenance)


def read_state(path: Path) -> dict[str, Any]:
    """Read what `write_state` wrote; tensors are on the CPU.

    Raises
    ------
    FormatError
        If the file is not finished, damaged, or something else.
    """
    from safetensors import SafetensorError, safe_open

    remedy = "delete it: the training goes on from the checkpoint before"
    manifest = read_manifest(path)
    if manifest["schema"] != SCHEMA:
        raise FormatError(f"{path} is a {manifest['schema']}", f"a {SCHEMA}", remedy)
    if not path.is_file() or manifest["sha256"] != file_checksum(path):
        raise FormatError(f"{path} is not what its manifest says", "a whole checkpoint", remedy)
    try:
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a dictionary
            return _decode(json.loads(file.metadata()["tree"]), tensors)
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise FormatError(f"{path} cannot be read ({error})", "a whole checkpoint", remedy) from error
