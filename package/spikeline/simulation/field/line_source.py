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
def _fill(start, end, radius, contacts, gain, ratio, point):
    """Fill ratio (segments, contacts): the potential is ``gain / length * ln(ratio)``, or, of a point, ``point``.

    Without branches in the inner loop, so that it runs in whole vectors; the logarithm is left to numpy, whose is
    vectorised.
    """
    x, y, z = contacts[0], contacts[1], contacts[2]
    for segment in range(start.shape[0]):
        ax, ay, az = (
            end[segment, 0] - start[segment, 0],
            end[segment, 1] - start[segment, 1],
            end[segment, 2] - start[segment, 2],
        )
        ex, ey, ez = end[segment, 0], end[segment, 1], end[segment, 2]
        length = math.sqrt(ax * ax + ay * ay + az * az)
        limit = radius[segment]
        row = ratio[segment]
        if length == 0.0:
            row[:] = 1.0
            for contact in range(len(row)):
                dx, dy, dz = x[contact] - ex, y[contact] - ey, z[contact] - ez
                point[segment, contact] = gain / max(math.sqrt(dx * dx + dy * dy + dz * dz), limit)
            continue
        squared, closest = length * length, limit * limit
        for contact in range(len(row)):
            dx, dy, dz = x[contact] - ex, y[contact] - ey, z[contact] - ez
            # h: from the segment's end to the foot of the contact's perpendicular, along the axis; l: from its start
            along = (dx * ax + dy * ay + dz * az) / length
            cx, cy, cz = dy * az - dz * ay, dz * ax - dx * az, dx * ay - dy * ax
            r2 = (cx * cx + cy * cy + cz * cz) / squared
            r2 = r2 if r2 > closest else closest
            # mirror, so that the larger of the two is positive and nothing cancels
            mirrored = along + along + length < 0.0
            h = -(along + length) if mirrored else along
            l = -along if mirrored else along + length
            root = math.sqrt(h * h + r2)
            size = h if h >= 0.0 else -h
            lower = root + size
            lower = lower if h >= 0.0 else r2 / lower
            row[contact] = (l + math.sqrt(l * l + r2)) / lower


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
    gain = _UV_PER_MV / (4 * np.pi * conductivity_s_per_m)
    ratio = np.empty((geometry.n_segments, len(contacts)))
    length = np.linalg.norm(end - start, axis=1)
    points = length == 0
    point = np.zeros(ratio.shape if points.any() else (0, 0))
    _fill(start, end, radius, np.ascontiguousarray(contacts.T), gain, ratio, point)
    out = np.log(ratio, out=ratio)
    out *= (gain / np.where(points, 1.0, length))[:, None]
    if points.any():
        out += point
    return np.ascontiguousarray(out.T)
