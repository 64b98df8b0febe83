"""What the sorter itself can be told."""

from __future__ import annotations

from spikeline.config.base import FiniteFloat, Settings, setting

__all__ = ["TRAINED", "SimSortSettings"]

TRAINED = "trained"
"""Value of the sorter's parameter ``weights`` that stands for the weights this run trains."""


class SimSortSettings(Settings):
    """The sorter. Nothing here depends on a recording: the defaults are for all."""

    detection_probability: FiniteFloat = setting(
        0.3,
        description="A peak of the detector's probability above this is looked at. Below one half, because what is not "
        "a spike makes no cluster, and a spike missed here is found by matching once its unit is known.",
        gt=0,
        lt=1,
    )
    fewest_spikes: int = setting(
        15,
        description="A unit with fewer spikes is not reported: fewer make no template that matching could trust.",
        ge=2,
    )
