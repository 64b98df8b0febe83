"""Contacts for recordings whose files give no geometry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import probeinterface

__all__ = ["plain_probe"]


def plain_probe(n_contacts: int, distance_um: float) -> probeinterface.Probe:
    """A probe of point-like contacts in the order of the channels.

    Parameters
    ----------
    n_contacts
        Four stand at the corners of a square (a tetrode); any other number in a column.
    distance_um
        Side of the square, or distance along the column.
    """
    import probeinterface

    half = distance_um / 2
    if n_contacts == 4:
        positions = half * np.array([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])
    else:
        positions = np.column_stack([np.zeros(n_contacts), distance_um * np.arange(n_contacts)])
    probe = probeinterface.Probe(ndim=2, si_units="um")
    probe.set_contacts(positions, shapes="circle", shape_params={"radius": half / 2})
    probe.set_device_channel_indices(np.arange(n_contacts))
    return probe
