"""What the samples of a recording are: microvolts, steps of a converter, or numbers of a simulation."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import spikeinterface as si

__all__ = ["unit_of_samples"]

_WITHOUT_GAIN = ("adc", "arbitrary")


def unit_of_samples(recording: si.BaseRecording) -> str:
    """``uV`` if there is a gain; else what the data set's entry says, ``adc`` or ``arbitrary``; ``adc`` without one."""
    if recording.has_scaleable_traces():
        return "uV"
    said = recording.get_annotation("unit")
    return said if said in _WITHOUT_GAIN else "adc"
