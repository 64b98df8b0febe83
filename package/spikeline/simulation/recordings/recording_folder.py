"""Recordings with ground truth on the disk: one folder that SpikeInterface loads."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import probeinterface
from spikeinterface.core import BaseRecording, BaseSorting, BinaryFolderRecording, BinaryRecordingExtractor, load
from spikeinterface.core.core_tools import SIJsonEncoder
from spikeinterface.core.sortingfolder import NumpyFolderSorting

from spikeline.artifacts import Provenance, atomic_folder, read_manifest, write_manifest
from spikeline.errors import DataError, FormatError
from spikeline.simulation.recordings.labelled_recording import LabelledRecording
from spikeline.simulation.recordings.probes import contact_positions
from spikeline.simulation.recordings.simulated_recording import SimulatedRecording, recording_blocks

__all__ = ["GAIN_UV", "RECORDING_SCHEMA", "read_recording", "write_recording"]

RECORDING_SCHEMA = "recording"
# One bit of the written int16 samples: that of the Intan amplifiers most labs record with. The range is then +-6.39
# mV, far beyond any spike a contact outside the cell sees, and the rounding adds 0.056 uV r.m.s. to noise of several
# uV.
GAIN_UV = 0.195


def _write_json(path: Path, document: object) -> None:
    path.write_text(json.dumps(document, indent=1, sort_keys=True, cls=SIJsonEncoder) + "\n")


def _write_traces(path: Path, made: LabelledRecording, threads: int) -> None:
    limit = np.iinfo(np.int16).max * GAIN_UV
    recording = made.recording
    if isinstance(recording, SimulatedRecording):
        blocks = recording_blocks(recording.plan, threads)
    else:
        step = int(recording.sampling_frequency)
        blocks = (
            recording.get_traces(start_frame=a, end_frame=min(a + step, recording.get_num_samples()), return_in_uV=True)
            for a in range(0, recording.get_num_samples(), step)
        )
    with path.open("wb") as file:
        for traces in blocks:
            traces = traces * np.float32(1 / GAIN_UV)
            np.rint(traces, out=traces)
            largest = max(float(traces.max()), -float(traces.min()))
            if not largest <= np.iinfo(np.int16).max:
                raise DataError(
                    f"a sample of {largest * GAIN_UV:.0f} uV",
                    f"potentials within +-{limit:.0f} uV, the range of the written samples",
                    "raise the lower bound of placement.distance_um: a contact on a cell sees more than amplifiers do",
                )
            traces.astype("<i2").tofile(file)


def _groups(recording: BaseRecording, probes: probeinterface.ProbeGroup) -> np.ndarray:
    """(n_channels,) The shank of each channel, by which Kilosort4 and all sorting by groups of channels go."""
    recording.set_probegroup(probes)
    return recording.get_channel_groups()


def _write_recording_folder(folder: Path, made: LabelledRecording, threads: int) -> None:
    folder.mkdir()
    raw = folder / "traces_cached_seg0.raw"
    _write_traces(raw, made, threads)
    recording = made.recording
    n_channels = recording.get_num_channels()
    binary = BinaryRecordingExtractor(
        file_paths=[raw], sampling_frequency=float(recording.sampling_frequency), num_channels=n_channels,
        dtype="int16", channel_ids=recording.channel_ids, time_axis=0, file_offset=0, is_filtered=False,
        gain_to_uV=np.full(n_channels, GAIN_UV), offset_to_uV=np.zeros(n_channels),
    )  # fmt: skip
    binary.dump_to_json(folder / "binary.json", relative_to=folder)
    (folder / "properties").mkdir()
    properties = {
        "gain_to_uV": np.full(n_channels, GAIN_UV),
        "offset_to_uV": np.zeros(n_channels),
        "group": _groups(binary, recording.get_probegroup()),
    }
    for key, values in properties.items():
        np.save(folder / "properties" / f"{key}.npy", values)
    _write_json(folder / "annotations.json", {"is_filtered": False})
    probeinterface.write_probeinterface(folder / "probegroup.json", recording.get_probegroup())
    BinaryFolderRecording(folder).dump_to_json(
        folder / "si_folder.json",
        relative_to=folder,
        include_properties=False,
        include_annotations=False,
        include_extra_metadata=False,
    )


def _write_sorting_folder(folder: Path, sorting: BaseSorting) -> None:
    folder.mkdir()
    info = {
        "sampling_frequency": float(sorting.sampling_frequency),
        "unit_ids": list(map(int, sorting.unit_ids)),
        "num_segments": 1,
    }
    _write_json(folder / "numpysorting_info.json", info)
    np.save(folder / "spikes.npy", sorting.to_spike_vector())
    (folder / "properties").mkdir()
    _write_json(folder / "annotations.json", {})
    NumpyFolderSorting(folder).dump_to_json(
        folder / "si_folder.json",
        relative_to=folder,
        include_properties=False,
        include_annotations=False,
        include_extra_metadata=False,
    )


def write_recording(
    folder: str | Path, made: LabelledRecording, *, provenance: Provenance | None = None, threads: int = 2
) -> None:
    """Write a recording and its truth as one folder: ``recording/``, ``sorting/``, ``probe.json``, ``units.csv``.

    ``recording/`` and ``sorting/`` are SpikeInterface folders (``spikeinterface.load`` reads them). Samples are int16
    with 0.195 uV per bit: half the size of float32, what sorters expect, and what an amplifier would have given.

    Raises
    ------
    DataError
        If a sample does not fit (nothing is ever clipped), or the disk is full.
    """
    folder = Path(folder)
    with atomic_folder(folder) as temporary:
        _write_recording_folder(temporary / "recording", made, threads)
        _write_sorting_folder(temporary / "sorting", made.sorting)
        group = probeinterface.ProbeGroup()
        group.add_probe(made.probe)
        probeinterface.write_probeinterface(temporary / "probe.json", group)
        made.units.to_csv(temporary / "units.csv", index=False, float_format="%.9g", lineterminator="\n")
    content = {
        "samples": made.recording.get_num_samples(),
        "channels": made.recording.get_num_channels(),
        "sampling_rate_hz": float(made.recording.sampling_frequency),
        "unit": "uV",
        "uv_per_bit": GAIN_UV,
        "units": len(made.units),
        "spikes": int(made.units["n_spikes"].sum()),
        "background_share": round(made.background_share, 6),
    }
    write_manifest(folder, schema=RECORDING_SCHEMA, provenance=provenance, content=content)


def _refuse_pickles(folder: Path) -> None:
    for path in folder.rglob("*"):
        pickled = path.suffix in (".pkl", ".pickle")
        if path.suffix == ".npy":
            try:
                np.load(path, allow_pickle=False)
            except ValueError:  # an array of objects, or no array at all
                pickled = True
        if pickled:
            raise FormatError(
                f"{path} is a pickle, which can run anything when it is read", "plain arrays", "do not use this folder"
            )


def read_recording(folder: str | Path) -> LabelledRecording:
    """Read what `write_recording` wrote.

    Raises
    ------
    FormatError
        If the folder is not one, lacks a part, or its samples are cut short.
    """
    folder = Path(folder)
    remedy = f"delete {folder} and run its rule again"
    manifest = read_manifest(folder)
    if manifest["schema"] != RECORDING_SCHEMA:
        raise FormatError(
            f"{folder} has schema {manifest['schema']!r}", f"{RECORDING_SCHEMA!r}", "give the folder of a recording"
        )
    content = manifest["content"]
    raw = folder / "recording" / "traces_cached_seg0.raw"
    expected = 2 * content["samples"] * content["channels"]
    size = raw.stat().st_size if raw.is_file() else -1
    if size != expected:
        raise FormatError(
            f"{raw} holds {size} bytes" if size >= 0 else f"{raw} is missing", f"{expected} bytes", remedy
        )
    _refuse_pickles(folder)
    try:
        recording, sorting = load(folder / "recording"), load(folder / "sorting")
        probe = probeinterface.read_probeinterface(folder / "probe.json").probes[0]
        units = pd.read_csv(folder / "units.csv")
    except Exception as error:  # the readers of three libraries, each with errors of its own
        raise FormatError(
            f"{folder} cannot be read ({type(error).__name__}: {error})", "a whole recording folder", remedy
        ) from error
    if recording.get_channel_groups() is None:  # written before folders held them
        recording.set_probegroup(recording.get_probegroup())
    if len(units) != content["units"] or len(sorting.to_spike_vector()) != content["spikes"]:
        raise FormatError(f"{folder} has {len(units)} units, the manifest {content['units']}", "the same", remedy)
    contacts = contact_positions(probe)
    return LabelledRecording(recording, sorting, probe, units, contacts, background_share=content["background_share"])
