"""Readers of sessions: small files in the layouts of the data sets, and the real ones where they are."""

from __future__ import annotations

import os
from pathlib import Path

import h5py
import numpy as np
import pytest

from spikeline.data import read_dataset_table
from spikeline.data.binned_session import BinnedSession
from spikeline.data.readers import read_dataset_recording, read_dataset_session
from spikeline.data.session import Session
from spikeline.errors import ConfigError, DataError, FormatError
from tests.data.entries import ROOT, entry_of, needs_real_files
from tests.data.sessions import pmd1_cells, write_area2_file, write_pmd1_file, write_pmd1_hdf5


def read(path: Path, reader: str, **keys: object) -> Session | BinnedSession:
    return read_dataset_session("s", path.parent, {"s": entry_of(path, reader, **keys)})


@pytest.mark.parametrize("nested", [False, True])
def test_area2_bump(tmp_path: Path, nested: bool) -> None:
    write_area2_file(tmp_path / "area2.nwb", nested=nested)
    session = read(tmp_path / "area2.nwb", "area2_bump_nwb")
    assert isinstance(session, Session) and session.name == "s"
    with h5py.File(tmp_path / "area2.nwb") as file:
        all_times, ends = file["units/spike_times"][:], file["units/spike_times_index"][:]
    for unit in range(4):
        own = all_times[(ends[unit - 1] if unit else 0) : ends[unit]]
        np.testing.assert_array_equal(session.spike_times[session.spike_units == unit], own)
    assert session.units["unit_id"].tolist() == [100, 101, 102, 103]
    assert session.units["heldout"].tolist() == [False, True, False, False]
    assert "obs_intervals" not in session.units
    assert session.trials.columns["direction_deg"].tolist() == [270.0, 315.0, 0.0, 45.0, 90.0, 135.0, 180.0, 225.0]
    assert session.trials.columns["passive"].tolist() == [False, True] * 4
    assert session.trials.columns["split"].tolist() == ["train", "val"] * 4
    assert np.isnan(session.trials.columns["go"][6])
    assert {name: (series.values.shape, series.unit) for name, series in session.behaviour.items()} == {
        "hand_velocity": ((12_000, 2), "cm/s"), "hand_position": ((12_000, 2), "cm"), "force": ((12_000, 6), "N"),
    }  # fmt: skip
    np.testing.assert_allclose(session.behaviour["hand_velocity"].times[:3], [0, 0.001, 0.002])
    assert session.behaviour["force"].values.std() == pytest.approx(2.0, rel=0.05)  # conversion 2
    keeps = np.isfinite(session.trials.columns["go"]) & ~session.trials.columns["passive"]
    assert session.binned(0.02, align="go", window_s=(-0.1, 0.5), trials=keeps).counts.shape == (3 * 30, 4)


def test_area2_bump_under_other_names(tmp_path: Path) -> None:
    write_area2_file(tmp_path / "other.nwb", hand_vel="hand_speed", direction="target_dir")
    with pytest.raises(FormatError, match=r"no 'hand_vel' .* there are: force, hand_pos, hand_speed") as raised:
        read(tmp_path / "other.nwb", "area2_bump_nwb", fields={"direction": "target_dir"})
    assert "fields: {hand_velocity: NAME}" in raised.value.remedy
    with pytest.raises(FormatError, match=r"no 'cond_dir' .*target_dir"):
        read(tmp_path / "other.nwb", "area2_bump_nwb", fields={"hand_velocity": "hand_speed"})
    fields = {"hand_velocity": "hand_speed", "direction": "target_dir"}
    session = read(tmp_path / "other.nwb", "area2_bump_nwb", fields=fields)
    assert "hand_velocity" in session.behaviour and "direction_deg" in session.trials.columns
    with pytest.raises(ConfigError, match="fields of a area2_bump_nwb entry names 'velocity'"):
        read(tmp_path / "other.nwb", "area2_bump_nwb", fields={"velocity": "hand_speed"})


def test_area2_bump_files_that_are_broken(tmp_path: Path) -> None:
    path = tmp_path / "a.nwb"
    write_area2_file(path)
    with h5py.File(path, "r+") as file:
        del file["processing"]
    with pytest.raises(FormatError, match="no processing/behavior"):
        read(path, "area2_bump_nwb")
    write_area2_file(path)
    with h5py.File(path, "r+") as file:
        del file["units/spike_times_index"]
    with pytest.raises(FormatError, match="not laid out as NWB"):
        read(path, "area2_bump_nwb")
    write_area2_file(path)
    with h5py.File(path, "r+") as file:
        file["units/spike_times"][3] = np.nan
    with pytest.raises(FormatError, match="is at nan s"):
        read(path, "area2_bump_nwb")
    path.write_bytes(b"nothing of the kind")
    with pytest.raises(FormatError, match="cannot be read as HDF5"):
        read(path, "area2_bump_nwb")


@pytest.mark.parametrize("write", [write_pmd1_file, write_pmd1_hdf5])
def test_pmd1(tmp_path: Path, write) -> None:
    cells = pmd1_cells()
    write(tmp_path / "pmd1.mat", cells)
    session = read(tmp_path / "pmd1.mat", "pmd1_mat")
    assert isinstance(session, BinnedSession)
    assert session.bin_s == 0.01 and session.lengths.tolist() == [20, 21, 22, 23, 24]
    np.testing.assert_array_equal(session.counts, np.concatenate([cell.T for cell in cells["neural_data_PMd"]]))
    np.testing.assert_allclose(session.trials["direction_deg"], [90, 180, 90, 180, 90])
    assert session.trials["target_on_s"].tolist() == [0.03] * 5 and session.trials["reach_num"].tolist() == [
        1,
        2,
        3,
        4,
        1,
    ]
    np.testing.assert_allclose(session.behaviour["hand_velocity"][:20], np.tile([0.0, 100.0], (20, 1)))
    other = read(tmp_path / "pmd1.mat", "pmd1_mat", fields={"counts": "neural_data_M1"})
    assert other.n_units == 2
    assert session.rebinned(0.02).lengths.tolist() == [10, 10, 11, 11, 12]


@pytest.mark.parametrize("write", [write_pmd1_file, write_pmd1_hdf5])
def test_pmd1_without_time_stamps_needs_the_width_of_bins(tmp_path: Path, write) -> None:
    cells = pmd1_cells()
    del cells["timestamps"]
    write(tmp_path / "pmd1.mat", cells)
    with pytest.raises(FormatError, match="no time stamps"):
        read(tmp_path / "pmd1.mat", "pmd1_mat")
    assert read(tmp_path / "pmd1.mat", "pmd1_mat", bin_ms=10.0).bin_s == 0.01


def _without(name: str) -> dict[str, list[np.ndarray]]:
    return {other: own for other, own in pmd1_cells().items() if other != name}


def _with(name: str, change) -> dict[str, list[np.ndarray]]:
    return {other: [change(cell) for cell in own] if other == name else own for other, own in pmd1_cells().items()}


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (_without("kinematics"), "no 'kinematics' .* there are: neural_data_M1, neural_data_PMd, reach_num"),
        (_with("neural_data_PMd", np.transpose), r"reach 0 of .* counts of \(20, 4\)"),
        (_with("neural_data_PMd", lambda cell: cell + 0.5), "not whole"),
        (_with("timestamps", lambda cell: cell**2), "apart"),
        (_with("target_on", lambda cell: cell[1:]), "reach 0 of"),
    ],
)
@pytest.mark.parametrize("write", [write_pmd1_file, write_pmd1_hdf5])
def test_pmd1_files_of_another_layout(tmp_path: Path, write, cells, message: str) -> None:
    write(tmp_path / "pmd1.mat", cells)
    with pytest.raises(FormatError, match=message):
        read(tmp_path / "pmd1.mat", "pmd1_mat")


def test_pmd1_files_that_are_something_else(tmp_path: Path) -> None:
    from scipy.io import savemat

    savemat(tmp_path / "other.mat", {"data": np.zeros(3)})
    with pytest.raises(FormatError, match="no struct Data"):
        read(tmp_path / "other.mat", "pmd1_mat")
    (tmp_path / "other.mat").write_bytes(b"text")
    with pytest.raises(FormatError, match="cannot be read"):
        read(tmp_path / "other.mat", "pmd1_mat")


def _binned_npz(folder: Path, **changes: object) -> Path:
    counts = np.arange(12).reshape(6, 2)
    arrays = {
        "rates_hz": (counts / 0.1).astype(np.float32), "bin_s": np.float32(0.1), "trial_ptr": np.array([0, 2, 6]),
        "bin_index": np.array([0, 1, 1, 2, 4, 5]), "reach_label": np.array([0, 0, 3, 3, 3, 3], np.int8),
        "velocity": np.ones((6, 2), np.float32), "position": np.zeros((6, 2)), "acceleration": np.zeros((6, 2)),
        "force": np.ones((6, 2)),
    }  # fmt: skip
    np.savez(folder / "binned.npz", **(arrays | changes))
    return folder / "binned.npz"


def test_binned_npz(tmp_path: Path) -> None:
    session = read(_binned_npz(tmp_path), "binned_session_npz")
    np.testing.assert_array_equal(session.counts, np.arange(12).reshape(6, 2))
    assert session.bin_s == 0.1 and session.trials["direction_deg"].tolist() == [90.0, 315.0]
    assert list(session.behaviour) == ["hand_velocity", "force"]  # what is zero throughout is absent
    assert session.without_gaps().lengths.tolist() == [2, 2]


@pytest.mark.wrong_arrays
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rates_hz": np.full((6, 2), 3.3)}, "no whole counts"),
        ({"reach_label": np.array([0, 1, 3, 3, 3, 3])}, "changes within a trial"),
        ({"trial_ptr": np.array([0, 2, 5])}, "pointers of trials"),
        ({"velocity": np.ones((5, 2))}, "hand_velocity has"),
    ],
)
def test_binned_npz_of_another_layout(tmp_path: Path, changes: dict[str, object], message: str) -> None:
    with pytest.raises(FormatError, match=message):
        read(_binned_npz(tmp_path, **changes), "binned_session_npz")


def test_a_session_is_no_recording(tmp_path: Path) -> None:
    table = {"s": entry_of(_binned_npz(tmp_path), "binned_session_npz")}
    with pytest.raises(DataError, match="cannot be used here"):
        read_dataset_recording("s", tmp_path, table)


@needs_real_files
@pytest.mark.parametrize(
    ("name", "trials", "units", "bins"),
    [
        ("chewie_2013_10_03", 159, 174, 1640),
        ("chewie_2013_12_19_moving", 180, 155, 835),
        ("mihi_2014_03_03_moving", 209, 187, 1082),
    ],
)
def test_the_real_sessions(name: str, trials: int, units: int, bins: int) -> None:
    table = read_dataset_table(ROOT / "config/datasets.yaml")
    session = read_dataset_session(name, os.environ["SPIKELINE_DATA_ROOT"], table)
    assert (session.n_trials, session.n_units, session.n_bins) == (trials, units, bins)
    assert ("hand_position" in session.behaviour) == (not name.startswith("mihi"))
    # the hand goes where the label says
    velocity = session.behaviour["hand_velocity"]
    gone = np.stack([velocity[session.bins_of(i)].sum(axis=0) for i in range(trials)])
    away = np.degrees(np.arctan2(gone[:, 1], gone[:, 0])) - session.trials["direction_deg"]
    assert np.median(np.abs((away + 180) % 360 - 180)) < 15
