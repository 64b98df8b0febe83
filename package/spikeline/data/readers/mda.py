"""MDA files: an array of numbers behind a short header.

Header, little-endian 32-bit integers: type code, bytes per number, number of axes, length of each axis. A negative
number of axes says that the lengths are 64-bit integers. The first axis varies fastest.

This is how SpikeInterface reads and writes the format, which comes from MountainSort.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from math import prod
from pathlib import Path

import numpy as np

from spikeline.errors import FormatError

__all__ = ["MdaHeader", "read_mda", "read_mda_header"]

_TYPES = {
    -2: "uint8", -3: "float32", -4: "int16", -5: "int32", -6: "uint16", -7: "float64", -8: "uint32",
}  # fmt: skip
_MOST_AXES = 6


@dataclass(frozen=True)
class MdaHeader:
    """What an MDA file holds: numpy's name of the type, the lengths of the axes, and where the numbers begin."""

    dtype: np.dtype
    shape: tuple[int, ...]
    offset: int


def read_mda_header(path: str | Path) -> MdaHeader:
    """Read the header, and check that all numbers it announces are there.

    Raises
    ------
    FormatError
        If the file is missing, no MDA file, of a type that is not read, or cut short.
    """
    path = Path(path)
    expected = "an MDA file: " + ", ".join(_TYPES.values()) + " behind its header"
    remedy = "fetch the file again"
    if not path.is_file():
        raise FormatError(f"{path} does not exist", expected, remedy)
    with path.open("rb") as stream:
        head = stream.read(12 + 8 * _MOST_AXES)
    code, bytes_each, axes = struct.unpack_from("<3i", head) if len(head) >= 12 else (0, 0, 0)
    wide, axes = axes < 0, abs(axes)
    offset = 12 + axes * (8 if wide else 4)
    dtype = np.dtype(_TYPES.get(code, "V1")).newbyteorder("<")
    if code not in _TYPES or not 1 <= axes <= _MOST_AXES or len(head) < offset or bytes_each != dtype.itemsize:
        raise FormatError(f"{path} begins with {head[:12].hex(' ', 4)}, no header of the format", expected, remedy)
    shape = struct.unpack_from(f"<{axes}{'q' if wide else 'i'}", head, 12)
    announced, held = offset + prod(shape) * dtype.itemsize, path.stat().st_size
    if min(shape) < 0 or held < announced:
        raise FormatError(f"{path} has {held} bytes", f"{announced}, as its header says", remedy)
    return MdaHeader(dtype, shape, offset)


def read_mda(path: str | Path) -> np.ndarray:
    """The whole array, in memory; errors as in `read_mda_header`."""
    header = read_mda_header(path)
    numbers = np.fromfile(path, dtype=header.dtype, count=prod(header.shape), offset=header.offset)
    return numbers.reshape(header.shape, order="F")
