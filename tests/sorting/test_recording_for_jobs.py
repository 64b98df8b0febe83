"""SimSort in processes that SpikeInterface starts by itself."""

from __future__ import annotations

import ast
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spikeinterface as si
from spikeinterface.sorters import read_sorter_folder, run_sorter_jobs

from spikeline.errors import DataError
from spikeline.sorting.recording_for_jobs import RecordingForJobs
from tests.saved_recordings import closed_files, saved
from tests.sorting.simsort.handmade_networks import write_handmade_networks
from tests.sorting.trains import synthetic_tetrode

__all__ = ["closed_files"]
pytestmark = pytest.mark.usefixtures("closed_files")


@pytest.fixture
def job(tmp_path: Path) -> dict[str, Any]:
    recording = saved(synthetic_tetrode(8.0)[0], tmp_path / "recording")
    weights = write_handmade_networks(tmp_path / "weights")
    return {
        "sorter_name": "simsort", "recording": recording, "folder": tmp_path / "out", "weights": str(weights),
    }  # fmt: skip


def test_it_is_the_recording_itself(job: dict[str, Any]) -> None:
    recording = job["recording"]
    recording.set_property("group", [0, 0, 1, 1])
    wrapped = si.load(RecordingForJobs(recording).to_dict())
    assert type(wrapped) is RecordingForJobs
    assert np.array_equal(wrapped.get_traces(channel_ids=[1, 3]), recording.get_traces(channel_ids=[1, 3]))
    assert wrapped.get_channel_groups().tolist() == [0, 0, 1, 1]
    assert np.array_equal(wrapped.get_channel_locations(), recording.get_channel_locations())
    assert wrapped.check_serializability("json")


def test_what_it_is_described_by_can_be_printed_and_read(job: dict[str, Any]) -> None:
    recording = job["recording"].frame_slice(1000, 3000)
    # as a dense probe has them: numpy prints arrays of more than 1000 values with dots
    wide = si.aggregate_channels([recording.rename_channels([f"{i}.{k}" for k in range(4)]) for i in range(100)])
    wide.set_dummy_probe_from_locations(np.stack([np.arange(400.0), np.zeros(400)], axis=1))
    printed = repr(RecordingForJobs(wide).to_dict())
    again = si.load(ast.literal_eval(printed))
    assert np.array_equal(again.get_traces(), wide.get_traces())
    assert np.array_equal(again.get_channel_locations(), wide.get_channel_locations())


def test_a_recording_in_memory_is_refused() -> None:
    with pytest.raises(DataError, match=r"samples in memory[\s\S]*recording\.save"):
        RecordingForJobs(synthetic_tetrode(2.0)[0])


@pytest.fixture
def sbatch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for SLURM's `sbatch`: runs the script that SpikeInterface wrote, and keeps what it said."""
    told = tmp_path / "told.txt"
    command = tmp_path / "bin" / "sbatch"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nfor last; do :; done\n"$last" > {told} 2>&1\n')
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{command.parent}{os.pathsep}{os.environ['PATH']}")
    return told


@pytest.mark.parametrize("wrapped", [True, False])
def test_a_job_of_slurm(job: dict[str, Any], wrapped: bool, sbatch: Path, tmp_path: Path) -> None:
    if wrapped:
        job["recording"] = RecordingForJobs(job["recording"])
    run_sorter_jobs([job], engine="slurm", engine_kwargs={"tmp_script_folder": tmp_path / "scripts"})
    if wrapped:
        assert len(read_sorter_folder(job["folder"]).unit_ids) == 3, sbatch.read_text()
    else:  # what the class is for
        assert "KeyError: 'simsort'" in sbatch.read_text()


def test_a_process_of_loky(job: dict[str, Any], tmp_path: Path) -> None:
    code = (
        "import sys, spikeinterface\n"
        "from spikeinterface.sorters import run_sorter_jobs\n"
        "from spikeline.sorting.recording_for_jobs import RecordingForJobs\n"
        f"recording = RecordingForJobs(spikeinterface.load({str(tmp_path / 'recording')!r}))\n"
        f"job = dict(sorter_name='simsort', recording=recording, folder={str(job['folder'])!r}, "
        f"weights={job['weights']!r})\n"
        "options = dict(n_jobs=2, backend='loky')\n"
        "[found] = run_sorter_jobs([job], engine='joblib', engine_kwargs=options, return_output=True)\n"
        "print(len(found.unit_ids))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.split()[-1:] == ["3"], done.stderr
