"""A recording together with everything that is known about it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import probeinterface
from jaxtyping import Float64
from spikeinterface.core import BaseRecording, BaseSorting

from spikeline.simulation.recordings.drift import Drift

__all__ = ["LabelledRecording"]


@dataclass(frozen=True)
class LabelledRecording:
    """A recording and what is known about it.

    Parameters
    ----------
    recording
        SpikeInterface recording with the probe attached.
    sorting
        Ground-truth spikes: samples of the soma-voltage peaks.
    probe
        The electrode.
    units
        One row per unit: unit_id, cell, variant, seed, n_spikes; x_um and y_um in the probe's plane and z_um away
        from it, depth_um along the tissue's depth, distance_um to the nearest contact; peak_to_peak_uv of the mean
        spike on best_channel, and peak_over_noise_level, its
        largest deviation over the level that was set (no SNR: the noise in a band is another).
    contacts_um
        Positions of the contacts in the tissue.
    drift
        Motion of the tissue, or None.
    background_share
        Share of the noise variance that the background units have: the asked one, or less where their spikes would
        have become sortable.
    """

    recording: BaseRecording
    sorting: BaseSorting
    probe: probeinterface.Probe
    units: pd.DataFrame
    contacts_um: Float64[np.ndarray, "channels 3"]
    drift: Drift | None = None
    background_share: float = 0.0
