"""``hc1``: CRCNS hc-1, extracellular and intracellular channels of one file, recorded together.

The folder holds one session: a ``.dat`` file (interleaved 16-bit samples) and the ``.xml`` of the same name, in
NeuroScope's format, which give the rate and the gain. Which channels are the probe's and which is the intracellular
electrode's, the files do not say: the entry does.

True spikes are taken from the intracellular channel: where its slope rises to more than ten times its noise, as
SpikeForest did for the same data, at the steepest point. SpikeForest also took out stimulus artefacts by hand, which
this reader cannot; its curated edition of the data (PAIRED_CRCNS_HC1) is read as ``spikeforest_mda``.

Source: Henze et al., J Neurophysiol 84 (2000) 390-400; http://crcns.org/data-sets/hc/hc-1.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int64

from spikeline.data.dataset_table import DatasetEntry
from spikeline.data.readers.contacts import plain_probe
from spikeline.data.readers.true_spikes import LabelledSpikes, labelled_spikes
from spikeline.errors import DataError, FormatError

if TYPE_CHECKING:
    import spikeinterface as si

__all__ = ["intracellular_spikes", "read_hc1_recording", "read_hc1_truth"]

UNIT = 1
"""Number of the one true unit."""

_EXPECTED = "a .dat file and the .xml of the same name, NeuroScope's format"
_SLOPE_IN_NOISE = 10.0
_DEAD_TIME_S = 0.001


def read_hc1_recording(folder: Path, entry: DatasetEntry) -> si.BaseRecording:
    """The extracellular channels, in the order of the entry, with the gain of the ``.xml``.

    Raises
    ------
    DataError
        If the entry names channels that the file does not have, or one of them twice.
    FormatError
        If the folder does not hold one ``.dat`` with its ``.xml``, or they cannot be read.
    """
    recording = _both(folder)
    chosen = list(entry.extracellular_channels)
    _check_channels([*chosen, entry.intracellular_channel], recording.get_num_channels())
    recording = recording.select_channels([recording.channel_ids[i] for i in chosen])
    recording.set_probe(plain_probe(len(chosen), entry.contact_distance_um))
    return recording


def read_hc1_truth(folder: Path, entry: DatasetEntry) -> LabelledSpikes:
    """The spikes of the neuron whose inside was recorded; errors as in `read_hc1_recording`."""
    recording = _both(folder)
    channel, rate = entry.intracellular_channel, recording.get_sampling_frequency()
    _check_channels([channel], recording.get_num_channels())
    trace = recording.get_traces(channel_ids=[recording.channel_ids[channel]])[:, 0].astype(np.float64)
    samples = intracellular_spikes(trace, rate)
    return labelled_spikes(folder, samples, np.full(len(samples), UNIT), rate, len(trace))


def intracellular_spikes(trace: Float[np.ndarray, " samples"], sampling_rate_hz: float) -> Int64[np.ndarray, " spikes"]:
    """Samples at which an intracellular trace rises steepest, where it rises as only a spike does.

    Parameters
    ----------
    trace
        Intracellular potential, spikes upwards, in any unit.
    sampling_rate_hz
        Samples per second.

    Returns
    -------
    spike_samples
        Largest slopes above ten times the slope's noise (median absolute deviation / 0.6745), no two within 1 ms.

    Raises
    ------
    DataError
        If the slope has no noise, as in a constant or a coarsely stored trace: no threshold can be set.
    """
    from scipy.signal import find_peaks

    slope = np.diff(trace)
    noise = float(np.median(np.abs(slope - np.median(slope)))) / 0.6745 if len(slope) else 0.0
    if noise == 0:
        raise DataError(
            "more than half of the steps of the intracellular trace are equal",
            "a trace with noise, from which spikes can be told by their slope",
            "check intracellular_channel of the entry",
        )
    distance = max(1, round(_DEAD_TIME_S * sampling_rate_hz))
    return find_peaks(slope, height=_SLOPE_IN_NOISE * noise, distance=distance)[0].astype(np.int64)


def _both(folder: Path) -> si.BaseRecording:
    from spikeinterface.extractors import read_neuroscope_recording

    found = sorted(folder.glob("*.dat"))
    if len(found) != 1 or not found[0].with_suffix(".xml").is_file():
        names = ", ".join(path.name for path in found) or "no .dat file"
        raise FormatError(
            f"{folder} holds {names}" + (" without its .xml" if len(found) == 1 else ""),
            _EXPECTED,
            "give each session a folder of its own",
        )
    try:
        return read_neuroscope_recording(found[0])
    except Exception as error:  # neo and its XML parser have errors of their own
        raise FormatError(
            f"{found[0]} cannot be read ({type(error).__name__}: {error})", _EXPECTED, "fetch both files again"
        ) from error


def _check_channels(channels: list[int], n_channels: int) -> None:
    outside = [channel for channel in channels if not 0 <= channel < n_channels]
    if outside or len(set(channels)) < len(channels):
        raise DataError(
            f"the entry names channel {outside[0]}" if outside else "the entry names a channel twice",
            f"different channels from 0 to {n_channels - 1}",
            "correct extracellular_channels and intracellular_channel of the entry",
        )
