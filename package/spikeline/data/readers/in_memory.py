"""Recordings from arrays in memory, with a unit that says what their samples are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spikeline.data.readers.contacts import plain_probe

if TYPE_CHECKING:
    import spikeinterface as si

__all__ = ["array_recording", "set_unit"]


def array_recording(
    samples: np.ndarray, sampling_rate_hz: float, contact_distance_um: float, unit: str
) -> si.NumpyRecording:
    """A recording of (n_samples, n_channels) samples on a probe of `plain_probe`; units as in `set_unit`."""
    import spikeinterface as si

    n_channels = samples.shape[1]
    recording = si.NumpyRecording(
        [samples], sampling_frequency=float(sampling_rate_hz), channel_ids=np.arange(n_channels)
    )
    recording.set_probe(plain_probe(n_channels, contact_distance_um))
    set_unit(recording, unit)
    return recording


def set_unit(recording: si.BaseRecording, unit: str | None, microvolts_per_step: float = 1.0) -> None:
    """Say what the samples are.

    ``"uV"``: the recording gets a gain. Anything else: no gain, because none is known, and nothing downstream can take
    the samples for microvolts. The unit stands in the annotation ``unit``.
    """
    if unit == "uV":
        recording.set_channel_gains(microvolts_per_step)
        recording.set_channel_offsets(0.0)
    recording.annotate(unit=unit)
