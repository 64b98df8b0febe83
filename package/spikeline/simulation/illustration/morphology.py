"""The table ``morphology``: the segments of a cell as seen from the front."""

from __future__ import annotations

import numpy as np
import pandas as pd

from spikeline.simulation.field.geometry import SegmentGeometry

__all__ = ["morphology_table"]


def morphology_table(cell: str, geometry: SegmentGeometry) -> pd.DataFrame:
    """One row per segment: cell, x0_um, y0_um, x1_um, y1_um, diameter_um, is_soma (the depth z is left out)."""
    start, end = np.round(geometry.start_um, 3), np.round(geometry.end_um, 3)
    return pd.DataFrame(
        {
            "cell": cell,
            "x0_um": start[:, 0],
            "y0_um": start[:, 1],
            "x1_um": end[:, 0],
            "y1_um": end[:, 1],
            "diameter_um": np.round(geometry.diameter_um, 4),
            "is_soma": np.asarray(geometry.is_soma, dtype=bool),
        }
    )
