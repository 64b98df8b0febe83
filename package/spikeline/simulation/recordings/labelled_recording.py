"""A recording together with everything that is known about it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import probeinterface
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
        spike on best_channel, and its snr (largest deviation over the noise level).
    contacts_um
        (n_channels, 3) positions of the contacts in the tissue.
    drift
        Motion of the tissue, or None.
    """

    recording: BaseRecording
    sorting: BaseSorting
    probe: probeinterface.Probe
    units: pd.DataFrame
    contacts_um: np.ndarray
    drift: Drift | None = None
