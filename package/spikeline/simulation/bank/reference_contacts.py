"""Where the bank's errors are measured: a cloud of tetrodes around a cell."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float64

from spikeline.artifacts import seed_stream
from spikeline.simulation.field.geometry import SegmentGeometry

__all__ = ["reference_contacts"]

_MOST_REFUSED = 2000


def reference_contacts(
    geometry: SegmentGeometry, distance_um: float, n_tetrodes: int = 120, pitch_um: float = 13.0
) -> Float64[np.ndarray, "4*{n_tetrodes} 3"]:
    """A cloud of tetrode contacts around a cell, the same on every call.

    Half of the tetrodes lie around the soma, from the least distance to 5 times it, densest near; half beside segments
    all over the cell (1 to 50 um from their axis), because a contact that touches a dendrite hears errors there.
    Where no segment lies that far from the soma, all lie around the soma.

    Parameters
    ----------
    geometry
        The cell, its soma at the origin.
    distance_um
        No contact is nearer to the soma's centre than this.
    n_tetrodes, pitch_um
        How many squares of 4 contacts, and their side.

    Returns
    -------
    numpy.ndarray
        um; the four contacts of a tetrode follow each other.
    """
    generator = seed_stream(0, "reference contacts")
    middles = (geometry.start_um + geometry.end_um) / 2
    contacts: list[np.ndarray] = []
    refused = 0
    while len(contacts) < n_tetrodes:
        axes = np.linalg.qr(generator.standard_normal((3, 3)))[0]
        # a small cell may have no segment that far away
        if len(contacts) % 2 == 0 or refused >= _MOST_REFUSED:
            centre = axes[0] * distance_um * 5 ** generator.uniform()
        else:
            centre = middles[generator.integers(len(middles))] + axes[0] * 50 ** generator.uniform()
        corners = np.array([[-1, -1], [-1, 1], [1, 1], [1, -1]]) * pitch_um / 2
        tetrode = centre + corners @ axes[1:]
        if np.linalg.norm(tetrode, axis=1).min() >= distance_um:
            contacts.append(tetrode)
        else:
            refused += 1
    return np.concatenate(contacts)
