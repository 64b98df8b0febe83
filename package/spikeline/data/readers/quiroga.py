"""``quiroga_mat`` and ``quiroga_npz``: the simulations of Quiroga et al. (2004), one channel with exact spike times.

Both layouts hold ``data`` (traces), ``spike_times`` (the sample at which each waveform begins, counted from 0) and
``spike_class`` (its unit, from 1). The original MATLAB file gives the sampling interval in milliseconds
(``samplingInterval``) and wraps the spikes in cells, of which the first holds the numbers; the ``.npz`` gives the rate
in Hz (``fs``).

The waveform's extremum lies later than its spike time: 22 samples in the original files at 24 kHz. That number is
``peak_offset_samples`` of the entry.

Source: Quiroga, Nadasdy and Ben-Shaul, Neural Computation 16 (2004) 1661-1687.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float32, Int64

from spikeline.data.dataset_table import DatasetEntry
from spikeline.data.readers.in_memory import array_recording
from spikeline.data.readers.plain_arrays import as_integers, as_numbers, read_plain_npz
from spikeline.data.readers.true_spikes import LabelledSpikes, labelled_spikes
from spikeline.errors import FormatError

if TYPE_CHECKING:
    import spikeinterface as si

__all__ = ["SingleChannel", "read_quiroga", "read_quiroga_recording", "read_quiroga_truth"]

_SPIKES = ("spike_times", "spike_class")
_RATES = ("fs", "samplingInterval")
_CONTACT_UM = 20.0  # only sets the size of the one contact


@dataclass(frozen=True)
class SingleChannel:
    """One channel and what is known of it.

    Parameters
    ----------
    trace
        As stored.
    sampling_rate_hz
        Samples per second.
    spike_times
        Sample at which each waveform begins.
    spike_class
        Unit of each spike, from 1.
    """

    trace: Float32[np.ndarray, " samples"]
    sampling_rate_hz: float
    spike_times: Int64[np.ndarray, " spikes"]
    spike_class: Int64[np.ndarray, " classes"]


def read_quiroga(path: str | Path) -> SingleChannel:
    """Read a file of either layout; ``.mat`` by its name, ``.npz`` otherwise.

    Raises
    ------
    FormatError
        If an array is missing, has another shape, or holds what it should not; or the file cannot be read.
    """
    path = Path(path)
    arrays = _read_mat(path) if path.suffix == ".mat" else read_plain_npz(path, ("data", "fs", *_SPIKES))
    single = {name: arrays[name].ravel() if _is_vector(arrays[name]) else arrays[name] for name in ("data", *_SPIKES)}
    return SingleChannel(
        as_numbers(single["data"], f"data of {path}").astype(np.float32),
        _rate(path, arrays),
        *(as_integers(single[name], f"{name} of {path}") for name in _SPIKES),
    )


def read_quiroga_recording(path: Path, entry: DatasetEntry) -> si.BaseRecording:
    """The one channel, on one contact."""
    read = read_quiroga(path)
    return array_recording(read.trace[:, None], read.sampling_rate_hz, _CONTACT_UM, entry.unit)


def read_quiroga_truth(path: Path, entry: DatasetEntry) -> LabelledSpikes:
    """The spikes as the file has them, at the beginnings of their waveforms."""
    read = read_quiroga(path)
    return labelled_spikes(
        path, read.spike_times, read.spike_class, read.sampling_rate_hz, len(read.trace), least_label=1
    )


def _is_vector(array: np.ndarray) -> bool:
    """MATLAB has no arrays of one axis: a row or a column stands for one."""
    return array.ndim == 2 and 1 in array.shape


def _read_mat(path: Path) -> dict[str, np.ndarray]:
    from scipy.io import loadmat

    expected = "a MATLAB file with data, spike_times, spike_class and samplingInterval (ms) or fs (Hz)"
    try:
        read = loadmat(path, variable_names=("data", *_SPIKES, *_RATES), appendmat=False)
    except NotImplementedError:
        raise FormatError(
            f"{path} is a MATLAB file of version 7.3", expected, "save it in MATLAB with save(..., '-v7')"
        ) from None
    except Exception as error:  # a damaged file can fail anywhere in SciPy's parser
        raise FormatError(
            f"{path} cannot be read ({type(error).__name__}: {error})", expected, "fetch it again"
        ) from error
    arrays = {name: _out_of_cell(value) for name, value in read.items() if not name.startswith("__")}
    missing = [name for name in ("data", *_SPIKES) if name not in arrays]
    if not any(name in arrays for name in _RATES):
        missing.append("samplingInterval")
    if missing:
        raise FormatError(f"{path} has no {', '.join(missing)}", expected, "check which file this is")
    return arrays


def _out_of_cell(value: np.ndarray) -> np.ndarray:
    """The first content of a cell array: later ones of ``spike_class`` flag overlaps."""
    return np.asarray(value.ravel()[0]) if value.dtype == object and value.size else value


def _rate(path: Path, arrays: dict[str, np.ndarray]) -> float:
    name = next(name for name in _RATES if name in arrays)
    value = as_numbers(np.atleast_1d(np.squeeze(arrays[name])), f"{name} of {path}")
    if value.size != 1 or not value[0] > 0:
        raise FormatError(
            f"{name} of {path} is {value}", "one number above 0", "check which file this is, or fetch it again"
        )
    # An interval stored with few digits must not become a rate of 23999.998 Hz.
    rate = float(value[0]) if name == "fs" else 1000 / float(value[0])
    return float(round(rate)) if abs(rate - round(rate)) < 1e-6 * rate else rate
