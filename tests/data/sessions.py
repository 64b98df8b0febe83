"""Small sessions, and files in the layouts of data sets that nobody may hand on."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np

from spikeline.artifacts import seed_stream
from spikeline.data.behaviour import BehaviourSeries
from spikeline.data.intervals import Intervals
from spikeline.data.session import Session


def small_session(n_trials: int = 6) -> Session:
    """Three units, a hand velocity at 100 Hz, trials of 1 s every 2 s with movement after 0.3 s; two splits."""
    draw = seed_stream(1, "test-session")
    start = 2.0 * np.arange(n_trials)
    times = np.sort(draw.uniform(0, 2 * n_trials, 60 * n_trials))
    clock = np.arange(0, 2 * n_trials, 0.01)
    trials = Intervals(
        start,
        start + 1.0,
        {
            "go": np.where(np.arange(n_trials) == 4, np.nan, start + 0.3),
            "direction_deg": 45.0 * (np.arange(n_trials) % 8),
            "result": np.array(["R", "F"] * (n_trials // 2)),
        },
    )
    return Session(
        spike_times=times,
        spike_units=draw.integers(0, 3, len(times)),
        units={"unit_id": np.arange(3), "area": np.array(["M1", "M1", "PMd"])},
        behaviour={"hand_velocity": BehaviourSeries(clock, np.stack([clock, -clock], axis=1), "cm/s")},
        trials=trials,
        splits={
            "train": Intervals(np.array([0.0]), np.array([7.9])),
            "test": Intervals(np.array([7.9]), np.array([12.0])),
        },
        name="small",
    )


def write_area2_file(
    path: Path, *, hand_vel: str = "hand_vel", direction: str = "cond_dir", nested: bool = False
) -> None:
    """A file laid out as DANDI 000127 is: NWB, series by rate, ragged spike times, text and truth values in columns."""
    draw = seed_stream(2, "test-nwb")
    n_trials, n_units = 8, 4
    with h5py.File(path, "w") as file:
        units = file.create_group("units")
        spikes = [np.sort(draw.uniform(0, 12, n)) for n in (30, 0, 50, 20)]
        units["id"] = np.arange(n_units) + 100
        units["spike_times"] = np.concatenate(spikes)
        units["spike_times_index"] = np.cumsum([len(own) for own in spikes]).astype(np.uint32)
        units["obs_intervals"] = np.tile([0.0, 12.0], (n_units, 1))
        units["obs_intervals_index"] = np.arange(1, n_units + 1)
        units["heldout"] = np.array([False, True, False, False])
        trials = file.create_group("intervals/trials")
        start = 1.5 * np.arange(n_trials)
        trials["id"], trials["start_time"], trials["stop_time"] = np.arange(n_trials), start, start + 1.2
        passive = np.arange(n_trials) % 2 == 1
        trials["move_onset_time"] = np.where(np.arange(n_trials) == 6, np.nan, start + 0.3)
        trials[direction] = 45.0 * np.arange(n_trials) - 90.0
        trials["ctr_hold_bump"] = passive
        trials["split"] = np.array(["train", "val"] * 4, dtype=object)
        place = file.create_group("processing/behavior/Kinematics" if nested else "processing/behavior")
        for name, dims, unit in ((hand_vel, 2, "cm/s"), ("hand_pos", 2, "cm"), ("force", 6, "N")):
            series = place.create_group(name)
            series["data"] = draw.normal(size=(12_000, dims))
            series["data"].attrs.update({"unit": unit, "conversion": 2.0})
            if name == "force":
                series["timestamps"] = np.arange(12_000) / 1000
            else:
                series["starting_time"] = 0.0
                series["starting_time"].attrs.update({"rate": 1000.0, "unit": "seconds"})


def pmd1_cells(n_reaches: int = 5) -> dict[str, list[np.ndarray]]:
    """Fields of the struct ``Data``, a cell per reach: 10-ms bins, reach i upwards or to the left, target in bin 3."""
    draw = seed_stream(3, "test-pmd1")
    cells: dict[str, list[np.ndarray]] = {
        name: [] for name in ("kinematics", "neural_data_PMd", "neural_data_M1", "target_on", "timestamps", "reach_num")
    }
    for reach in range(n_reaches):
        n = 20 + reach
        away = np.array([0.0, 1.0]) if reach % 2 == 0 else np.array([-1.0, 0.0])
        position = np.arange(n)[:, None] * away
        cells["kinematics"].append(np.concatenate([position, np.tile(away / 0.01, (n, 1)), np.zeros((n, 2))], axis=1))
        cells["neural_data_PMd"].append(draw.poisson(0.4, (4, n)).astype(float))
        cells["neural_data_M1"].append(draw.poisson(0.4, (2, n)).astype(float))
        cells["target_on"].append((np.arange(n) == 3).astype(float)[:, None])
        cells["timestamps"].append(reach + 0.01 * np.arange(n)[:, None])
        cells["reach_num"].append(np.array([[reach % 4 + 1.0]]))
    return cells


def write_pmd1_file(path: Path, cells: dict[str, list[np.ndarray]]) -> None:
    """A file as MATLAB's version 5 to 7 has it."""
    from scipy.io import savemat

    struct = {}
    for name, own in cells.items():
        struct[name] = np.empty((len(own), 1), object)
        struct[name][:, 0] = own
    savemat(path, {"Data": struct})


def write_pmd1_hdf5(path: Path, cells: dict[str, list[np.ndarray]]) -> None:
    """The same as MATLAB's version 7.3 has it: a user block, references to cells, axes the other way round."""
    with h5py.File(path, "w", userblock_size=512) as file:
        for name, own in cells.items():
            references = np.empty((1, len(own)), h5py.ref_dtype)
            for i, cell in enumerate(own):
                references[0, i] = file.create_dataset(f"#refs#/{name}{i}", data=cell.T).ref
            file.create_dataset(f"Data/{name}", data=references, dtype=h5py.ref_dtype)
    with path.open("r+b") as stream:
        stream.write(b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM")
