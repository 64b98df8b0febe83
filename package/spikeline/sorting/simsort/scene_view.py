"""How a scene is seen: through which channels, and how its spikes are reshaped."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int64

from spikeline.artifacts import seed_stream
from spikeline.config.simsort import SceneSettings
from spikeline.sorting.simsort.detector import GROUP

__all__ = ["SceneView", "draw_view"]


@dataclass(frozen=True)
class SceneView:
    """What is done to the traces of one scene.

    Parameters
    ----------
    channels
        Those of the tetrode that are seen.
    places
        Where each of them goes among the network's inputs.
    stretch, phase_rad
        See `reshaping.reshaped`.
    """

    channels: Int64[np.ndarray, " seen"]
    places: Int64[np.ndarray, " seen"]
    stretch: float
    phase_rad: float


def draw_view(settings: SceneSettings, index: int, seed: int, stage: str, channels: int | None = None) -> SceneView:
    """The view of scene number ``index``.

    Parameters
    ----------
    settings
        Bounds of what is drawn.
    index, seed, stage
        Name the stream.
    channels
        How many channels are seen; None: drawn.
    """
    draw = seed_stream(seed, f"{stage}-view", str(index))
    count = int(draw.choice([1, 2, 3, GROUP], p=_shares(settings.fewer_channels, channels)))
    seen = draw.permutation(GROUP)[:count]
    stretch = float(np.exp(draw.uniform(*np.log(settings.stretch))))
    turned = draw.uniform(-1, 1) * np.deg2rad(settings.phase_deg) + np.pi * draw.integers(2)
    return SceneView(seen, draw.permutation(GROUP)[:count], stretch, float(turned))


def _shares(fewer: float, channels: int | None) -> list[float]:
    if channels is not None:
        return [float(count == channels) for count in range(1, GROUP + 1)]
    return [fewer / 2, fewer / 3, fewer / 6, 1 - fewer]
