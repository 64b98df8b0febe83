"""``spikeforest_mda``: a recording of SpikeForest (hybrid, paired, synthetic), in the folder it is distributed in.

``raw.mda`` (channels x samples), ``params.json`` (``samplerate`` in Hz; ``spike_sign``, -1 for spikes that point down;
``scale_factor``, microvolts per step), ``geom.csv`` (contacts x positions in um) and ``firings_true.mda`` (rows:
channel, sample, unit; one column per spike). A paired recording has the same files and one unit.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spikeline.data.dataset_table import DatasetEntry
from spikeline.data.readers.in_memory import set_unit
from spikeline.data.readers.mda import read_mda, read_mda_header
from spikeline.data.readers.plain_arrays import as_integers, as_numbers
from spikeline.data.readers.true_spikes import LabelledSpikes, labelled_spikes
from spikeline.errors import FormatError

if TYPE_CHECKING:
    import spikeinterface as si

__all__ = ["read_spikeforest_recording", "read_spikeforest_truth"]

_EXPECTED = "a SpikeForest folder with raw.mda, params.json, geom.csv and, for the truth, firings_true.mda"


def read_spikeforest_recording(folder: Path, entry: DatasetEntry) -> si.BaseRecording:
    """The traces, read when they are asked for, with the contacts of ``geom.csv``.

    An entry with ``unit: uV`` makes ``scale_factor`` (1 if there is none) the gain. The annotation ``spike_sign`` says
    which way spikes point; where they point up, ``invert`` of the entry turns the traces over.

    Raises
    ------
    FormatError
        If a file is missing, cut short or not what its name says, or the channels and contacts do not fit.
    """
    from spikeinterface.extractors import read_mda_recording

    header, params = read_mda_header(folder / "raw.mda"), _params(folder)
    _channels(folder, header.shape)
    try:
        recording = read_mda_recording(folder)
    except Exception as error:  # geom.csv: numpy and probeinterface have errors of their own
        raise FormatError(
            f"{folder} cannot be read ({type(error).__name__}: {error})", _EXPECTED, "fetch the folder again"
        ) from error
    set_unit(recording, entry.unit, float(params.get("scale_factor", 1.0)))
    recording.annotate(spike_sign=int(params.get("spike_sign", -1)))
    return recording


def read_spikeforest_truth(folder: Path, entry: DatasetEntry) -> LabelledSpikes | None:
    """The spikes of ``firings_true.mda``, in any order there; None where there is no such file.

    Raises
    ------
    FormatError
        If the file is cut short, has fewer than three rows, or says what cannot be.
    """
    path = folder / "firings_true.mda"
    if not path.is_file():
        return None
    firings = read_mda(path)
    if firings.ndim != 2 or firings.shape[0] < 3:
        raise FormatError(
            f"{path} has the shape {firings.shape}",
            "rows: channel, sample, unit; one column per spike",
            "fetch it again",
        )
    header = read_mda_header(folder / "raw.mda")
    # times may lie between samples
    samples = np.rint(as_numbers(firings[1], f"row 2 (samples) of {path}")).astype(np.int64)
    labels = as_integers(firings[2], f"row 3 (units) of {path}")
    return labelled_spikes(path, samples, labels, float(_params(folder)["samplerate"]), header.shape[1], in_order=False)


def _params(folder: Path) -> dict[str, Any]:
    path = folder / "params.json"
    expected = "JSON with samplerate (Hz), as in " + _EXPECTED
    try:
        params = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FormatError(f"{path} does not exist", expected, "fetch the folder again") from None
    except ValueError as error:
        raise FormatError(f"{path} is not JSON ({error})", expected, "fetch the folder again") from error
    for key, needed in (("samplerate", True), ("scale_factor", False), ("spike_sign", False)):
        value = params.get(key) if isinstance(params, dict) else None
        positive = key != "spike_sign"
        if (value is None and needed) or (value is not None and not _is_number(value, positive)):
            raise FormatError(f"{key} of {path} is {value!r}", expected, "correct the file, or fetch it again")
    return params


def _is_number(value: Any, positive: bool) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool) and np.isfinite(value)
    return bool(number and (value > 0 or not positive))


def _channels(folder: Path, shape: tuple[int, ...]) -> None:
    path = folder / "geom.csv"
    if len(shape) != 2:
        raise FormatError(f"{folder / 'raw.mda'} has the shape {shape}", "channels x samples", "fetch it again")
    if not path.is_file():
        raise FormatError(f"{path} does not exist", _EXPECTED, "fetch the folder again")
    contacts = sum(bool(line.strip()) for line in path.read_text(encoding="utf-8").splitlines())
    if contacts != shape[0]:
        raise FormatError(
            f"{path} has {contacts} contacts, raw.mda {shape[0]} channels", "one line per channel", "fetch both again"
        )
