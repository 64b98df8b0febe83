"""SpikeForest folders: true spikes written by SpikeInterface's own writer of the format, traces by a short one here."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from probeinterface import generate_tetrode
from spikeinterface.core import NumpySorting
from spikeinterface.extractors import read_mda_sorting
from spikeinterface.extractors.mdaextractors import MdaSortingExtractor

from spikeline.config.yaml_text import read_yaml
from spikeline.data.datasets import has_ground_truth
from spikeline.data.readers import read_dataset_recording, read_ground_truth
from spikeline.data.readers.mda import read_mda, read_mda_header
from spikeline.errors import DataError, FormatError
from tests.data.entries import ROOT, entry_of

RATE_HZ = 30_000.0


def _traces() -> np.ndarray:
    return np.random.default_rng(0).integers(-300, 300, (3000, 4)).astype(np.int16)


def _write(folder: Path, truth: dict[int, list[int]] | None = None, **params: object) -> Path:
    """A folder as SpikeForest has them; ``truth`` is spike samples by unit."""
    folder.mkdir()
    _write_mda(folder / "raw.mda", _traces().T)
    np.savetxt(folder / "geom.csv", generate_tetrode().contact_positions, delimiter=",")
    (folder / "params.json").write_text(json.dumps({"samplerate": RATE_HZ} | params))
    if truth is not None:
        trains = {unit: np.array(samples) for unit, samples in truth.items()}
        MdaSortingExtractor.write_sorting(
            NumpySorting.from_unit_dict([trains], RATE_HZ), folder / "firings_true.mda", write_primary_channels=False
        )
    return folder


HYBRID = {1: [10, 500, 2999], 7: [40, 900], 12: [60, 61, 1200]}


def test_hybrid(tmp_path: Path) -> None:
    folder = _write(tmp_path / "rec", HYBRID, spike_sign=-1, scale_factor=0.305176)
    table = {"h": entry_of(folder, "spikeforest_mda", unit="uV", sampling_rate_hz=RATE_HZ, channels=4)}
    recording = read_dataset_recording("h", tmp_path, table)
    np.testing.assert_array_equal(recording.get_traces(), _traces())
    np.testing.assert_allclose(recording.get_traces(return_in_uV=True), 0.305176 * _traces(), rtol=1e-6)
    np.testing.assert_allclose(recording.get_channel_locations(), generate_tetrode().contact_positions)
    assert recording.get_annotation("spike_sign") == -1
    assert recording.check_serializability("json")  # sorters refer to it where it lies
    truth = read_ground_truth("h", tmp_path, table)
    oracle = read_mda_sorting(folder / "firings_true.mda", RATE_HZ)
    for unit in oracle.unit_ids:
        np.testing.assert_array_equal(truth.get_unit_spike_train(str(unit)), oracle.get_unit_spike_train(unit))
    assert list(truth.unit_ids) == ["1", "7", "12"]
    scored = {"h": entry_of(folder, "spikeforest_mda", unit="uV", scored_units=[12])}
    assert read_ground_truth("h", tmp_path, scored).count_num_spikes_per_unit() == {"12": 3}
    with pytest.raises(DataError, match="lacks unit"):
        read_ground_truth("h", tmp_path, {"h": entry_of(folder, "spikeforest_mda")})


def test_paired(tmp_path: Path) -> None:
    folder = _write(tmp_path / "rec", {1: [5, 700]})
    table = {"p": entry_of(folder, "spikeforest_mda", unit="adc", peak_offset_samples=-3)}
    assert list(read_ground_truth("p", tmp_path, table).get_unit_spike_train("1")) == [2, 697]
    assert not read_dataset_recording("p", tmp_path, table).has_scaleable_traces()


def test_without_truth(tmp_path: Path) -> None:
    table = {"n": entry_of(_write(tmp_path / "rec"), "spikeforest_mda", unit="uV")}
    assert read_ground_truth("n", tmp_path, table) is None
    assert not has_ground_truth("n", tmp_path, table)
    assert read_dataset_recording("n", tmp_path, table).get_num_channels() == 4


def test_firings_in_any_order_and_between_samples(tmp_path: Path) -> None:
    folder = _write(tmp_path / "rec")
    firings = np.array([[1, 1, 2], [800.4, 20.0, 300.0], [5, 4, 5]])
    _write_mda(folder / "firings_true.mda", firings)
    table = {"f": entry_of(folder, "spikeforest_mda", unit="uV")}
    truth = read_ground_truth("f", tmp_path, table)
    assert list(truth.get_unit_spike_train("5")) == [300, 800]
    assert (np.diff(truth.to_spike_vector()["sample_index"]) >= 0).all()


def _write_mda(path: Path, array: np.ndarray, wide: bool = False) -> None:
    code = {"float64": -7, "int16": -4}[str(array.dtype)]
    axes = struct.pack(f"<i{array.ndim}q", -array.ndim, *array.shape) if wide else None
    header = struct.pack("<2i", code, array.dtype.itemsize)
    path.write_bytes(
        header + (axes or struct.pack(f"<{array.ndim + 1}i", array.ndim, *array.shape)) + array.tobytes(order="F")
    )


@pytest.mark.parametrize("wide", [False, True])
def test_mda_of_either_header(tmp_path: Path, wide: bool) -> None:
    array = np.arange(12, dtype=np.int16).reshape(3, 4)
    _write_mda(tmp_path / "a.mda", array, wide)
    np.testing.assert_array_equal(read_mda(tmp_path / "a.mda"), array)
    assert read_mda_header(tmp_path / "a.mda").shape == (3, 4)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize(
    ("file", "damage", "message"),
    [
        ("raw.mda", Path.unlink, r"raw\.mda does not exist"),
        ("raw.mda", _cut, r"raw\.mda has \d+ bytes"),
        ("raw.mda", lambda path: path.write_bytes(b"short"), "no header of the format"),
        ("raw.mda", lambda path: path.write_bytes(b"x" * 5000), "no header of the format"),
        ("raw.mda", lambda path: _write_mda(path, np.zeros((4, 5, 6))), r"has the shape \(4, 5, 6\)"),
        ("params.json", Path.unlink, r"params\.json does not exist"),
        ("params.json", lambda path: path.write_text("{"), "is not JSON"),
        ("params.json", lambda path: path.write_text("[]"), "samplerate of .* is None"),
        ("params.json", lambda path: path.write_text('{"samplerate": 0}'), "samplerate of .* is 0"),
        (
            "params.json",
            lambda path: path.write_text(json.dumps({"samplerate": 30000, "scale_factor": "1"})),
            "scale_factor of .* is '1'",
        ),
        ("geom.csv", Path.unlink, r"geom\.csv does not exist"),
        ("geom.csv", lambda path: path.write_text("0,0\n1,1\n"), r"2 contacts, raw\.mda 4 channels"),
        ("geom.csv", lambda path: path.write_text("a,b\n" * 4), "cannot be read"),
    ],
)
def test_damaged_recordings(tmp_path: Path, file: str, damage: Callable[[Path], object], message: str) -> None:
    folder = _write(tmp_path / "rec", HYBRID)
    damage(folder / file)
    table = {"d": entry_of(folder, "spikeforest_mda", unit="uV")}
    with pytest.raises(FormatError, match=message):
        read_dataset_recording("d", tmp_path, table)


@pytest.mark.parametrize(
    ("firings", "message"),
    [
        (np.zeros((2, 3)), r"has the shape \(2, 3\)"),
        (np.array([[1.0], [3000.0], [1.0]]), "sample 3000 of a recording of 3000"),
        (np.array([[1.0], [-1.0], [1.0]]), "sample -1"),
        (np.array([[1.0], [5.0], [-1.0]]), "unit label -1"),
        (np.array([[1.0], [5.0], [1.5]]), r"holds 1\.5"),
        (np.array([[1.0], [np.nan], [1.0]]), "NaN"),
    ],
)
def test_wrong_firings(tmp_path: Path, firings: np.ndarray, message: str) -> None:
    folder = _write(tmp_path / "rec")
    _write_mda(folder / "firings_true.mda", firings)
    table = {"d": entry_of(folder, "spikeforest_mda", unit="uV")}
    with pytest.raises(FormatError, match=message):
        read_ground_truth("d", tmp_path, table)


def test_committed_lists_of_scored_units() -> None:
    """Nine recordings per study; how many of 74 units have a signal-to-noise ratio above 3."""
    lists, _ = read_yaml(ROOT / "config/scored_units.yaml")
    counts = {
        "600s_11": 11, "600s_12": 11, "600s_21": 15, "600s_22": 14, "600s_31": 14, "600s_32": 14, "1200s_11": 11,
        "1200s_21": 12, "1200s_31": 13,
    }  # fmt: skip
    static = {f"hybrid_static_tetrode/rec_4c_{name}": count for name, count in counts.items()}
    drift = {f"hybrid_drift_tetrode/rec_4c_{name}": count for name, count in (counts | {"600s_21": 14}).items()}
    assert {name: len(units) for name, units in lists.items()} == static | drift
    assert all(units == sorted(set(units)) and units[0] >= 1 and units[-1] <= 74 for units in lists.values())
