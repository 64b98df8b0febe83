"""Quiroga's simulations: the original MATLAB layout and the .npz taken from it."""

from __future__ import annotations

import os
from pathlib import Path

import h5py
import numpy as np
import pytest
from scipy.io import savemat

from spikeline.data import read_dataset_table
from spikeline.data.datasets import has_ground_truth
from spikeline.data.readers import read_dataset_recording, read_ground_truth
from spikeline.data.readers.quiroga import read_quiroga
from spikeline.errors import DataError, FormatError
from tests.data.entries import ROOT, entry_of, needs_real_files

RATE_HZ, OFFSET = 24_000.0, 22
TIMES, CLASSES = np.array([100, 300, 300, 900]), np.array([2, 1, 3, 2])


def _trace() -> np.ndarray:
    trace = np.random.default_rng(0).normal(0, 0.01, 1000)
    trace[TIMES + OFFSET] += 1.0
    return trace


def _cell(*values: np.ndarray) -> np.ndarray:
    cell = np.empty((1, len(values)), dtype=object)
    for i, value in enumerate(values):
        cell[0, i] = value
    return cell


def _write(folder: Path, form: str, **changes: object) -> Path:
    """A file of either layout; a change to None leaves the array out."""
    path = folder / f"quiroga.{form}"
    if form == "mat":
        # later contents of the cell flag overlaps
        values = {
            "data": _trace()[None], "samplingInterval": 0.04166667, "chan": 1, "startData": 0,
            "spike_times": _cell(TIMES[None].astype(np.int32)), "spike_class": _cell(CLASSES[None].astype(np.uint8),
                                                                                    np.zeros((1, 4), np.uint8)),
        }  # fmt: skip
    else:
        values = {"data": _trace().astype(np.float32), "fs": RATE_HZ, "spike_times": TIMES, "spike_class": CLASSES}
    kept = {name: value for name, value in (values | changes).items() if value is not None}
    savemat(path, kept) if form == "mat" else np.savez(path, **kept)
    return path


@pytest.mark.parametrize("form", ["mat", "npz"])
def test_recording_and_truth(tmp_path: Path, form: str) -> None:
    path = _write(tmp_path, form)
    keys = {"unit": "arbitrary", "peak_offset_samples": OFFSET, "sampling_rate_hz": RATE_HZ, "channels": 1}
    table = {"q": entry_of(path, f"quiroga_{form}", **keys)}
    recording, truth = read_dataset_recording("q", tmp_path, table), read_ground_truth("q", tmp_path, table)
    np.testing.assert_array_equal(recording.get_traces()[:, 0], _trace().astype(np.float32))
    assert recording.has_probe() and not recording.has_scaleable_traces()
    assert truth.get_sampling_frequency() == recording.get_sampling_frequency() == RATE_HZ
    assert {unit: list(truth.get_unit_spike_train(unit)) for unit in truth.unit_ids} == {
        "1": [322], "2": [122, 922], "3": [322],
    }  # fmt: skip
    assert (recording.get_traces()[truth.to_spike_vector()["sample_index"], 0] > 0.9).all()
    assert has_ground_truth("q", tmp_path, table)


def test_turned_over(tmp_path: Path) -> None:
    path = _write(tmp_path, "npz")
    table = {"q": entry_of(path, "quiroga_npz", unit="arbitrary", invert=True)}
    inverted = read_dataset_recording("q", tmp_path, table)
    np.testing.assert_array_equal(inverted.get_traces()[:, 0], -_trace().astype(np.float32))
    assert inverted.has_probe() and inverted.get_annotation("unit") == "arbitrary"


def test_scored_units_and_spikes_moved_out(tmp_path: Path) -> None:
    path = _write(tmp_path, "npz")
    chosen = {"q": entry_of(path, "quiroga_npz", unit="uV", scored_units=[3, 2], peak_offset_samples=100)}
    truth = read_ground_truth("q", tmp_path, chosen)
    assert list(truth.unit_ids) == ["3", "2"]
    assert truth.count_num_spikes_per_unit() == {"3": 1, "2": 1}  # the spike at 900 + 100 is out of the recording
    unknown = {"q": entry_of(path, "quiroga_npz", unit="uV", scored_units=[7])}
    with pytest.raises(DataError, match=r"unit 7.*\n.*1, 2, 3"):
        read_ground_truth("q", tmp_path, unknown)


def test_microvolts(tmp_path: Path) -> None:
    table = {"q": entry_of(_write(tmp_path, "npz"), "quiroga_npz", unit="uV")}
    assert read_dataset_recording("q", tmp_path, table).has_scaleable_traces()
    with pytest.raises(DataError, match="lacks unit"):
        read_dataset_recording("q", tmp_path, {"q": entry_of(tmp_path / "quiroga.npz", "quiroga_npz")})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"spike_class": None}, "no array spike_class"),
        ({"data": np.zeros((4, 10))}, r"data of .* has the shape \(4, 10\)"),
        ({"data": np.full(1000, np.nan)}, "NaN or infinity"),
        ({"fs": 0.0}, "fs of .* is"),
        ({"fs": np.array([1.0, 2.0])}, "fs of .* is"),
        ({"spike_times": np.array([100, 300, 300])}, "3 spike times and 4 labels"),
        ({"spike_times": np.array([300, 100, 400, 900])}, "out of order: 300 before 100"),
        ({"spike_times": np.array([100, 300, 300, 1000])}, "sample 1000 of a recording of 1000"),
        ({"spike_times": np.array([100.0, 300.5, 301, 900])}, r"holds 300\.5"),
        ({"spike_class": np.array([2, 1, 0, 2])}, "unit label 0"),
        ({"spike_class": np.array([{"a": 1}] * 4, dtype=object)}, "plain arrays"),
    ],
)
def test_wrong_npz(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    table = {"q": entry_of(_write(tmp_path, "npz", **changes), "quiroga_npz", unit="arbitrary")}
    with pytest.raises(FormatError, match=message):
        read_ground_truth("q", tmp_path, table)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"spike_times": None, "spike_class": None}, "has no spike_times, spike_class"),
        ({"samplingInterval": None}, "has no samplingInterval"),
        ({"samplingInterval": -1.0}, "samplingInterval of .* is"),
        ({"spike_class": np.array([[2, 1, 3]])}, "4 spike times and 3 labels"),
        ({"data": "text"}, "data of .* has the shape"),
    ],
)
def test_wrong_mat(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    table = {"q": entry_of(_write(tmp_path, "mat", **changes), "quiroga_mat", unit="arbitrary")}
    with pytest.raises(FormatError, match=message):
        read_ground_truth("q", tmp_path, table)


def test_mat_variants(tmp_path: Path) -> None:
    """A rate instead of an interval, spikes without cells, columns instead of rows."""
    changes = {"samplingInterval": None, "fs": RATE_HZ, "data": _trace()[:, None]}
    read = read_quiroga(_write(tmp_path, "mat", spike_times=TIMES[:, None], spike_class=CLASSES[:, None], **changes))
    assert read.sampling_rate_hz == RATE_HZ
    np.testing.assert_array_equal(read.spike_times, TIMES)


def test_files_that_are_no_mat(tmp_path: Path) -> None:
    damaged = _write(tmp_path, "mat")
    damaged.write_bytes(damaged.read_bytes()[:700])
    with pytest.raises(FormatError, match="cannot be read"):
        read_quiroga(damaged)
    newer = tmp_path / "newer.mat"
    with h5py.File(newer, "w", userblock_size=512) as file:
        file["data"] = np.zeros(3)
    header = b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM"
    newer.write_bytes(header + newer.read_bytes()[len(header) :])
    with pytest.raises(FormatError, match=r"version 7\.3"):
        read_quiroga(newer)


@needs_real_files
def test_the_real_files() -> None:
    root, table = os.environ["SPIKELINE_DATA_ROOT"], read_dataset_table(ROOT / "config/datasets.yaml")
    names = ("quiroga_easy1_noise01_short", "quiroga_easy1_noise01_short_mat")
    recordings = [read_dataset_recording(name, root, table) for name in names]
    truths = [read_ground_truth(name, root, table) for name in names]
    np.testing.assert_array_equal(recordings[0].get_traces(), recordings[1].get_traces())
    np.testing.assert_array_equal(truths[0].to_spike_vector(), truths[1].to_spike_vector())
    assert truths[0].count_num_spikes_per_unit() == {"1": 172, "2": 182, "3": 167}
    # peak_offset_samples: the extremum of every unit's mean waveform is where the true spikes are
    trace = recordings[0].get_traces()[:, 0]
    for unit in truths[0].unit_ids:
        train = truths[0].get_unit_spike_train(unit)
        train = train[(train >= 30) & (train + 60 < len(trace))]
        mean = trace[train[:, None] + np.arange(-30, 60)].mean(axis=0)
        assert np.abs(mean).argmax() == 30
        assert abs(int(mean.argmin()) - 30) <= 0.0002 * RATE_HZ  # turned over, troughs lie there too
