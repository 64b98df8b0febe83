"""The extracellular potential of straight current sources in an infinite homogeneous medium."""

from __future__ import annotations

import math

import numba
import numpy as np
from jaxtyping import Float, Float64

from spikeline.errors import DataError
from spikeline.simulation.field.geometry import SegmentGeometry

__all__ = ["line_source_matrix"]

# nA / (um * S/m) = mV
_UV_PER_MV = 1000.0


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _fill(
    start: np.ndarray, end: np.ndarray, radius: np.ndarray, contacts: np.ndarray, gain: float, out: np.ndarray
) -> None:
    for segment in range(start.shape[0]):
        ax, ay, az = (
            end[segment, 0] - start[segment, 0],
            end[segment, 1] - start[segment, 1],
            end[segment, 2] - start[segment, 2],
        )
        length = math.sqrt(ax * ax + ay * ay + az * az)
        limit = radius[segment]
        for contact in range(contacts.shape[0]):
            dx = contacts[contact, 0] - end[segment, 0]
            dy = contacts[contact, 1] - end[segment, 1]
            dz = contacts[contact, 2] - end[segment, 2]
            if length == 0.0:  # a point source
                distance = max(math.sqrt(dx * dx + dy * dy + dz * dz), limit)
                out[contact, segment] = gain / distance
                continue
            # h: from the segment's end to the foot of the contact's perpendicular, along the axis; l: from its start
            h = (dx * ax + dy * ay + dz * az) / length
            l = h + length
            cx, cy, cz = dy * az - dz * ay, dz * ax - dx * az, dx * ay - dy * ax
            r2 = max((cx * cx + cy * cy + cz * cz) / (length * length), limit * limit)
            if h + l < 0.0:  # mirror, so that the larger of the two is positive and nothing cancels
                h, l = -l, -h
            upper = l + math.sqrt(l * l + r2)
            root = math.sqrt(h * h + r2)
            lower = root + h if h >= 0.0 else r2 / (root - h)
            out[contact, segment] = gain * math.log(upper / lower) / length


def line_source_matrix(
    geometry: SegmentGeometry, contacts_um: Float[np.ndarray, "contacts 3"], conductivity_s_per_m: float = 0.3
) -> Float64[np.ndarray, "contacts segments"]:
    """Potential at each contact per unit of current out of each segment.

    Every segment is a line source with its current spread evenly along its axis (Holt 1998, equation C.13; the method
    "linesource" of LFPy's RecExtElectrode): with r the contact's distance from the axis and h, l its axial distances
    from the end and the start, ``V = I / (4 pi sigma L) * (asinh(l / r) - asinh(h / r))``. A contact nearer to the
    axis than the segment's radius is moved to the radius.

    Parameters
    ----------
    geometry
        Segments in um, placed where the cell lies.
    contacts_um
        Point contacts, in um.
    conductivity_s_per_m
        Conductivity of the medium, S/m.

    Returns
    -------
    numpy.ndarray
        uV per nA.

    Raises
    ------
    DataError
        If the contacts are not finite positions in three dimensions, or the conductivity is not positive.
    """
    contacts = np.ascontiguousarray(contacts_um, dtype=np.float64)
    if contacts.ndim != 2 or contacts.shape[1] != 3 or not np.isfinite(contacts).all():
        raise DataError(
            f"contacts of shape {contacts.shape}"
            + ("" if np.isfinite(contacts).all() else " with non-finite positions"),
            "finite positions of shape (n_contacts, 3), in um",
            "give every contact its x, y and z",
        )
    if not (math.isfinite(conductivity_s_per_m) and conductivity_s_per_m > 0):
        raise DataError(
            f"a conductivity of {conductivity_s_per_m} S/m", "a positive number", "use 0.3, the usual value for cortex"
        )
    start = np.ascontiguousarray(geometry.start_um, dtype=np.float64)
    end = np.ascontiguousarray(geometry.end_um, dtype=np.float64)
    radius = np.asarray(geometry.diameter_um, dtype=np.float64) / 2
    out = np.empty((len(contacts), geometry.n_segments))
    _fill(start, end, radius, contacts, _UV_PER_MV / (4 * np.pi * conductivity_s_per_m), out)
    return out
