"""Aligned snippets with the unit of each."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from spikeline.data import read_dataset_table
from spikeline.data.readers import read_dataset_recording, read_dataset_snippets, read_ground_truth
from spikeline.errors import DataError, FormatError
from tests.data.entries import ROOT, entry_of, needs_real_files

WAVEFORMS = np.random.default_rng(1).normal(size=(6, 64)).astype(np.float32)
LABELS = np.array([3, -1, 1, 2, -1, 1], dtype=np.int8)


def _write(folder: Path, **changes: object) -> Path:
    path = folder / "snippets.npz"
    np.savez(path, **({"waveforms": WAVEFORMS, "labels": LABELS, "fs": 24_000.0} | changes))
    return path


def test_overlaps_are_left_out(tmp_path: Path) -> None:
    table = {"s": entry_of(_write(tmp_path), "quiroga_snippets_npz", peak_offset_samples=19, sampling_rate_hz=24_000.0)}
    snippets = read_dataset_snippets("s", tmp_path, table)
    np.testing.assert_array_equal(snippets.waveforms, WAVEFORMS[[0, 2, 3, 5]])
    np.testing.assert_array_equal(snippets.labels, [3, 1, 2, 1])
    assert (snippets.sampling_rate_hz, snippets.peak_sample, snippets.n_overlapping) == (24_000.0, 19, 2)
    table = {"s": entry_of(tmp_path / "snippets.npz", "quiroga_snippets_npz", invert=True)}
    np.testing.assert_array_equal(read_dataset_snippets("s", tmp_path, table).waveforms, -WAVEFORMS[[0, 2, 3, 5]])


@pytest.mark.parametrize(
    ("changes", "keys", "message"),
    [
        ({"waveforms": WAVEFORMS[0]}, {}, r"waveforms of .* has the shape \(64,\)"),
        ({"waveforms": WAVEFORMS * np.nan}, {}, "NaN"),
        ({"labels": LABELS[:4]}, {}, "6 waveforms and 4 labels"),
        ({"labels": LABELS - 1}, {}, "the label -2"),
        ({"fs": -1.0}, {}, "fs of"),
        ({}, {"peak_offset_samples": 64}, "peak_offset_samples is 64; .* has 64 samples"),
        ({}, {"sampling_rate_hz": 30_000.0}, "sampling_rate_hz 24000"),
        ({"labels": np.array([{}] * 6, dtype=object)}, {}, "plain arrays"),
    ],
)
def test_wrong_files(tmp_path: Path, changes: dict[str, object], keys: dict[str, object], message: str) -> None:
    table = {"s": entry_of(_write(tmp_path, **changes), "quiroga_snippets_npz", **keys)}
    with pytest.raises(FormatError, match=message):
        read_dataset_snippets("s", tmp_path, table)


def test_neither_recording_nor_truth(tmp_path: Path) -> None:
    table = {"s": entry_of(_write(tmp_path), "quiroga_snippets_npz")}
    for read in (read_dataset_recording, read_ground_truth):
        with pytest.raises(DataError, match="layout quiroga_snippets_npz, which cannot be used here"):
            read("s", tmp_path, table)
    recording = {"s": entry_of(tmp_path / "snippets.npz", "tetrode_npz")}
    with pytest.raises(DataError, match="layout tetrode_npz, which cannot be used here"):
        read_dataset_snippets("s", tmp_path, recording)


@needs_real_files
def test_the_real_file() -> None:
    root, table = os.environ["SPIKELINE_DATA_ROOT"], read_dataset_table(ROOT / "config/datasets.yaml")
    snippets = read_dataset_snippets("quiroga_difficult2_noise005_snippets", root, table)
    assert snippets.waveforms.shape == (2508, 64) and snippets.n_overlapping == 440
    assert list(np.unique(snippets.labels)) == [1, 2, 3]
    for unit in (1, 2, 3):
        assert snippets.waveforms[snippets.labels == unit].mean(axis=0).argmin() == snippets.peak_sample
