"""Weights of a trained model: arrays as safetensors, the rest in a JSON card beside them. Nothing else is read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from spikeline.artifacts.atomic import atomic_file
from spikeline.artifacts.manifest import write_manifest
from spikeline.artifacts.provenance import Provenance, file_checksum
from spikeline.artifacts.tables import read_json, write_json
from spikeline.errors import FormatError

__all__ = ["card_path", "read_weights", "write_weights"]

WEIGHTS_SCHEMA, CARD_SCHEMA = "weights", "weights-card"
_SUFFIX = ".safetensors"


def card_path(path: str | Path) -> Path:
    """Where the card of ``X.safetensors`` lies: ``X.card.json``."""
    return _checked(path).with_suffix(".card.json")


def write_weights(
    path: str | Path, arrays: Mapping[str, np.ndarray], card: Mapping[str, Any], *, provenance: Provenance | None = None
) -> None:
    """Write arrays and card as two artefacts; the card is written last and names the checksum of the arrays.

    Parameters
    ----------
    path
        Ends in ``.safetensors``.
    arrays
        Name -> array of numbers or booleans.
    card
        Plain values: architecture, hyper-parameters, training data, licence of what it was trained on.

    Raises
    ------
    FormatError
        If the name ends in anything else, or an array holds no plain numbers.
    """
    from safetensors.numpy import load, save

    path = _checked(path)
    for name, array in arrays.items():
        if np.asarray(array).dtype.kind not in "fiub":
            raise FormatError(
                f"the array {name!r} has dtype {np.asarray(array).dtype}",
                "real numbers or booleans",
                "convert it before writing",
            )
    contiguous = {name: np.asarray(array, order="C") for name, array in sorted(arrays.items())}
    with atomic_file(path, lambda temporary: load(temporary.read_bytes())) as temporary:
        temporary.write_bytes(save(contiguous))  # no metadata: its order in the file would change from run to run
    shapes = {name: {"shape": list(array.shape), "dtype": str(array.dtype)} for name, array in contiguous.items()}
    card_path(path).unlink(missing_ok=True)  # an old card must not stand beside new arrays
    write_manifest(path, schema=WEIGHTS_SCHEMA, provenance=provenance, content={"arrays": shapes})
    write_json(
        card_path(path), {"weights_sha256": file_checksum(path), **card}, schema=CARD_SCHEMA, provenance=provenance
    )


def read_weights(path: str | Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Arrays and card of a model.

    Raises
    ------
    FormatError
        If the name does not end in ``.safetensors`` (pickled weights can run code when they are read), the file is not
        whole, or the card belongs to other arrays.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    path = _checked(path)
    if not path.exists():
        raise FormatError(f"{path} does not exist", "weights as safetensors", "run the rule that trains the model")
    card = read_json(card_path(path))
    if not isinstance(card, dict) or card.get("weights_sha256") != file_checksum(path):
        raise FormatError(
            f"{card_path(path).name} does not belong to {path.name}: the checksums differ",
            "a card written together with the arrays",
            f"delete {path} and run its rule again",
        )
    try:
        return load(path.read_bytes()), card
    except (SafetensorError, KeyError, ValueError) as error:
        raise FormatError(
            f"{path} is not whole ({error})", "a safetensors file", f"delete {path} and run its rule again"
        ) from error


def _checked(path: str | Path) -> Path:
    path = Path(path)
    if path.suffix != _SUFFIX:
        raise FormatError(
            f"{path} ends in {path.suffix or 'nothing'}",
            f"weights in a {_SUFFIX} file",
            "convert the weights with the program that made them; reading a pickled format can run code",
        )
    return path
