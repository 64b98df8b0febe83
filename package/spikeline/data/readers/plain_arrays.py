"""Arrays out of files that could hold more than arrays: nothing in them is ever unpickled."""

from __future__ import annotations

from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from spikeline.errors import FormatError

__all__ = ["as_integers", "as_numbers", "read_plain_npy", "read_plain_npz"]

_REMEDY = "fetch the file again"


def read_plain_npz(path: str | Path, names: tuple[str, ...]) -> dict[str, np.ndarray]:
    """Arrays of an ``.npz`` file.

    Raises
    ------
    FormatError
        If it is missing, is no ``.npz`` file, lacks one of ``names``, or one of them holds Python objects.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            missing = [name for name in names if name not in file.files]
            if missing:
                raise FormatError(
                    f"{path} has no array {', '.join(missing)}", f"the arrays {', '.join(names)}", _REMEDY
                )
            return {name: file[name] for name in names}
    except FileNotFoundError:
        raise FormatError(f"{path} does not exist", "an .npz file", _REMEDY) from None
    except (OSError, EOFError, BadZipFile, ValueError, AttributeError) as error:
        raise FormatError(
            f"{path} cannot be read as plain arrays ({error})", "an .npz file of numbers and text", _REMEDY
        ) from error


def read_plain_npy(path: str | Path) -> np.ndarray:
    """The array of an ``.npy`` file.

    Raises
    ------
    FormatError
        If it is missing, is no ``.npy`` file, or holds Python objects.
    """
    try:
        with Path(path).open("rb") as stream:
            return np.lib.format.read_array(stream, allow_pickle=False)
    except FileNotFoundError:
        raise FormatError(f"{path} does not exist", "an .npy file", _REMEDY) from None
    except (OSError, EOFError, ValueError) as error:
        raise FormatError(
            f"{path} cannot be read as a plain array ({error})", "an .npy file of numbers", _REMEDY
        ) from error


def as_numbers(values: np.ndarray, what: str, dimensions: int = 1) -> np.ndarray:
    """Check that an array holds finite numbers along so many axes; ``what`` names it and its file in the error.

    Raises
    ------
    FormatError
        If it does not.
    """
    if values.ndim != dimensions or values.dtype.kind not in "iuf" or not np.isfinite(values).all():
        finite = values.dtype.kind not in "f" or np.isfinite(values).all()
        raise FormatError(
            f"{what} has the shape {values.shape} and type {values.dtype}"
            + ("" if finite else ", and NaN or infinity"),
            f"finite numbers along {dimensions} {'axis' if dimensions == 1 else 'axes'}",
            "check which file this is; see docs/datasets.md for what each reader expects",
        )
    return values


def as_integers(values: np.ndarray, what: str) -> np.ndarray:
    """(n,) whole numbers as int64, whatever type they are stored in.

    Raises
    ------
    FormatError
        If one is not whole.
    """
    values = as_numbers(values, what)
    whole = values.astype(np.int64)
    if not np.array_equal(whole, values):
        first = values[np.flatnonzero(whole != values)[0]]
        raise FormatError(f"{what} holds {first:g}", "whole numbers", "check which array of the file this is")
    return whole
