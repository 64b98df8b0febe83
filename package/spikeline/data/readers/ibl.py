"""``ibl``: one Neuropixels probe as the International Brain Laboratory distributes it, or as SpikeGLX saved it.

Somewhere in the folder lies the action-potential band, either compressed (``*.ap.cbin`` with ``*.ap.ch`` and
``*.ap.meta`` of the same name, read with mtscomp) or as SpikeGLX writes it (``*.ap.bin`` with ``*.ap.meta``). Files
that were downloaded with an identifier in their names (``x.ap.1a2b.cbin``, ``x.ap.3c4d.meta``) must be renamed first.

A spike sorting in the folder (``spikes.samples.npy`` and ``spikes.clusters.npy``, the ALF names) is another sorter's
answer to compare with, not truth. ``spikes.times.npy`` is not used: it counts seconds on the session's clock, which
runs apart from the probe's.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from spikeline.data.dataset_table import DatasetEntry
from spikeline.data.readers.plain_arrays import as_integers, read_plain_npy
from spikeline.data.readers.true_spikes import LabelledSpikes, labelled_spikes
from spikeline.errors import ConfigError, FormatError

if TYPE_CHECKING:
    import spikeinterface as si

__all__ = ["read_ibl_comparison", "read_ibl_recording"]

_EXPECTED = "the files of one probe: *.ap.cbin, *.ap.ch and *.ap.meta, or *.ap.bin and *.ap.meta, of one name"
_SPIKES, _CLUSTERS, _TIMES = "spikes.samples.npy", "spikes.clusters.npy", "spikes.times.npy"


def read_ibl_recording(folder: Path, entry: DatasetEntry) -> si.BaseRecording:
    """The action-potential band without its synchronisation channel; samples are read when they are asked for.

    Raises
    ------
    ConfigError
        If the traces are compressed and mtscomp is not installed.
    FormatError
        If the folder holds no probe, more than one, or a part is missing or damaged.
    """
    traces = _traces(folder)
    if traces.suffix == ".cbin" and importlib.util.find_spec("mtscomp") is None:
        raise ConfigError(
            f"{traces} is compressed, and mtscomp is not installed",
            "the package that decompresses it",
            "pip install 'spikeline[ibl]', or mtscomp alone",
        )
    from spikeinterface.extractors import get_neo_streams, read_cbin_ibl, read_spikeglx

    try:
        if traces.suffix == ".cbin":
            return read_cbin_ibl(cbin_file_path=traces)
        [stream] = [name for name in get_neo_streams("spikeglx", traces.parent)[0] if name.endswith(".ap")]
        return read_spikeglx(traces.parent, stream_name=stream)
    except Exception as error:  # SpikeInterface, neo, probeinterface and mtscomp, each with errors of its own
        raise FormatError(
            f"{traces} cannot be read ({type(error).__name__}: {error})", _EXPECTED, "fetch the files again"
        ) from error


def read_ibl_comparison(folder: Path, entry: DatasetEntry) -> LabelledSpikes | None:
    """The spike sorting that lies in the folder; None without one.

    Raises
    ------
    ConfigError, FormatError
        As `read_ibl_recording`; or if there are several sortings, a part of one is missing, or it does not fit the
        recording.
    """
    found = sorted(folder.rglob(_SPIKES))
    if not found:
        times = sorted(folder.rglob(_TIMES))
        if times:
            raise FormatError(
                f"{times[0]} is there without {_SPIKES}: its seconds are the session's, not the probe's",
                f"{_SPIKES} and {_CLUSTERS} in one folder",
                f"fetch {_SPIKES}, or leave the sorting out of the folder",
            )
        return None
    if len(found) > 1:
        raise FormatError(
            f"{folder} holds {len(found)} spike sortings: {', '.join(str(path.parent) for path in found)}",
            "one",
            "keep the one to compare with",
        )
    path = found[0]
    recording = read_ibl_recording(folder, entry)
    return labelled_spikes(
        path,
        as_integers(read_plain_npy(path).squeeze(), str(path)),
        as_integers(read_plain_npy(path.with_name(_CLUSTERS)).squeeze(), str(path.with_name(_CLUSTERS))),
        recording.get_sampling_frequency(),
        recording.get_num_samples(),
    )


def _traces(folder: Path) -> Path:
    found = sorted(path for pattern in ("*.ap.cbin", "*.ap.bin") for path in folder.rglob(pattern))
    if len(found) != 1:
        names = ", ".join(str(path.relative_to(folder)) for path in found)
        raise FormatError(
            f"{folder} holds {len(found)} files of traces" + (f": {names}" if names else ""),
            _EXPECTED,
            "give each probe a folder and an entry of its own, with its files named alike",
        )
    parts = (".ch", ".meta") if found[0].suffix == ".cbin" else (".meta",)
    for part in parts:
        if not found[0].with_suffix(part).is_file():
            raise FormatError(
                f"{found[0].with_suffix(part)} does not exist",
                _EXPECTED,
                "fetch it, and name it as the traces are named",
            )
    return found[0]
