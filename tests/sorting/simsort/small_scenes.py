"""Prepared scenes of two cells made by formula: quick to make, with spikes that stand out."""

from __future__ import annotations

from typing import Any

from spikeline.config.simsort import SceneSettings
from spikeline.sorting.simsort.prepared_scenes import PreparedScenes
from tests.simulation.recordings_fixtures import make_entry

__all__ = ["ENTRIES", "SETTINGS", "scenes"]

ENTRIES = [make_entry(cell) for cell in ("cell_a", "cell_b")]
SETTINGS = SceneSettings(
    duration_s=2.0, units=(2, 3), noise_uv=(2.0, 3.0), distance_um=(10.0, 25.0), rate_hz=(10.0, 20.0), phase_deg=0.0
)


def scenes(seed: int = 1, stage: str = "test", **options: Any) -> PreparedScenes:
    return PreparedScenes(ENTRIES, SETTINGS, seed, stage=stage, **options)
