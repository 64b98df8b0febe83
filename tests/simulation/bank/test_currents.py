"""Bank entries end to end: content, resumption after SIGKILL byte for byte, and failures."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from spikeline.artifacts import write_json
from spikeline.config.simulation import BankSettings, IntegrationSettings, StimulusSettings, VariantSettings
from spikeline.errors import NumericalError
from spikeline.simulation.bank import currents as currents_module
from spikeline.simulation.bank import read_bank_entry
from spikeline.simulation.bank.currents import simulate_bank_entry
from spikeline.simulation.bank.reference_contacts import reference_contacts
from spikeline.simulation.bank.slices import SliceRunner
from spikeline.simulation.bank.stimulus import stimulus_current
from spikeline.simulation.cells.cell import build_cell
from spikeline.simulation.cells.cell_sources import CellModel
from spikeline.simulation.field.line_source import line_source_matrix

pytestmark = pytest.mark.neuron
BALL = CellModel("ball_and_stick", "ball_and_stick", None)
COOL = IntegrationSettings(temperature_c=20.0)
DRIVE = StimulusSettings(mean_rheobase=0.5)
BANK = BankSettings(duration_s=1.0, slice_s=0.3)
SETTINGS = {
    "integration": COOL,
    "stimulus": DRIVE,
    "bank": BANK,
    "variants": VariantSettings(),
    "root_seed": 3,
    "mechanisms": None,
}


@pytest.fixture
def rheobase_file(tmp_path: Path) -> Path:
    path = tmp_path / "rheobase.json"
    write_json(path, {"rheobase_na": 0.15, "found": True, "spontaneous": False, "tried_na": []})
    return path


def test_an_entry_holds_what_the_simulation_gave(rheobase_file: Path, tmp_path: Path) -> None:
    error = simulate_bank_entry(BALL, "v000", 2, rheobase_file, tmp_path / "entry.h5", **SETTINGS)
    entry = read_bank_entry(tmp_path / "entry.h5")
    assert entry.name == "ball_and_stick/v000-2"
    assert entry.n_samples == 10_000
    assert entry.error == error
    assert entry.facts["rheobase_na"] == 0.15
    assert entry.facts["licence"] == "MIT"
    assert entry.facts["n_spikes"] == len(entry.spike_samples) > 0
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".")) == []

    current = stimulus_current(DRIVE, n_samples=10_000, dt_ms=0.1, rheobase_na=0.15, root_seed=3, shard=entry.name)
    cell = build_cell(BALL, COOL)
    runner = SliceRunner(cell, dt_ms=0.1, initial_voltage_mv=-70.0)
    runner.run(current)
    exact = runner.currents_na().astype(np.float64)
    residual = exact - entry.currents()
    matrix = line_source_matrix(entry.geometry, reference_contacts(entry.geometry, 20.0))
    field, off = matrix @ exact, matrix @ residual
    assert np.abs(off).max() <= error["max_error_uv"] + 1e-3 <= BANK.max_error_uv + 1e-3
    lost, whole = (np.linalg.norm(potential.reshape(120, -1), axis=1) for potential in (off, field))
    percent = 100 * (lost / whole).max()
    assert percent <= error["rms_error_percent"] * 1.01 <= BANK.rms_error_percent * 1.01
    assert np.abs(residual).sum(axis=0).max() * 1e3 / (4 * np.pi * 0.3 * 20) <= error["bound_uv_at_20um"] + 1e-3
    voltage = runner.soma_voltage_mv()
    np.testing.assert_allclose(entry.soma_voltage_mv, voltage, atol=0.05)
    peaks = entry.spike_samples[(entry.spike_samples > 20) & (entry.spike_samples < 9_980)]
    assert all(voltage[peak] == voltage[peak - 10 : peak + 11].max() for peak in peaks)


def test_the_slice_length_changes_nothing_that_matters(rheobase_file: Path, tmp_path: Path) -> None:
    spikes = []
    for slice_s in (0.2, 1.0):
        settings = {**SETTINGS, "bank": BankSettings(duration_s=1.0, slice_s=slice_s)}
        simulate_bank_entry(BALL, "v000", 0, rheobase_file, tmp_path / "entry.h5", **settings)
        spikes.append(read_bank_entry(tmp_path / "entry.h5").spike_samples)
    np.testing.assert_array_equal(*spikes)


def test_seeds_and_variants_give_different_entries(rheobase_file: Path, tmp_path: Path) -> None:
    voltages = []
    for variant, seed in (("v000", 0), ("v000", 1), ("v001", 0)):
        simulate_bank_entry(BALL, variant, seed, rheobase_file, tmp_path / "entry.h5", **SETTINGS)
        entry = read_bank_entry(tmp_path / "entry.h5")
        voltages.append(entry.soma_voltage_mv.astype(float))
    assert json.loads(entry.facts["conductance_factors"]).keys() == {"gnabar_hh", "gkbar_hh"}
    assert entry.facts["length_factor"] != 1.0
    assert min(np.abs(voltages[0] - voltages[1]).max(), np.abs(voltages[0] - voltages[2]).max()) > 1


_JOB = """
import json, sys
from pathlib import Path
from spikeline.config.simulation import BankSettings, IntegrationSettings, StimulusSettings, VariantSettings
from spikeline.simulation.cells.cell_sources import CellModel
from spikeline.simulation.bank.currents import simulate_bank_entry
job = json.loads(sys.argv[1])
model = CellModel(job["name"], job["source"], Path(job["folder"]) if job["folder"] else None)
simulate_bank_entry(
    model, "v000", 0, job["rheobase"], job["output"],
    integration=IntegrationSettings(temperature_c=job["temperature_c"]), stimulus=StimulusSettings(mean_rheobase=0.5),
    bank=BankSettings(duration_s=job["duration_s"], slice_s=job["duration_s"] / 8),
    variants=VariantSettings(), root_seed=3, mechanisms=job["mechanisms"],
)
"""


def start(
    model: CellModel, mechanisms: Path | None, rheobase: Path, output: Path, temperature_c: float, duration_s: float
) -> subprocess.Popen:
    job = {
        "name": model.name, "source": model.source, "folder": str(model.folder) if model.folder else None,
        "mechanisms": str(mechanisms) if mechanisms else None, "rheobase": str(rheobase), "output": str(output),
        "temperature_c": temperature_c, "duration_s": duration_s,
    }  # fmt: skip
    return subprocess.Popen([sys.executable, "-c", _JOB, json.dumps(job)], env={**os.environ, "OMP_NUM_THREADS": "2"})


@pytest.mark.parametrize(
    ("name", "temperature_c", "duration_s"),
    [("ball_and_stick", 20.0, 8.0), ("stochastic", 20.0, 8.0), ("L5_SBC_bNAC219_1", 34.0, 4.0)],
)
def test_a_killed_run_resumes_and_ends_in_the_same_bytes(
    name: str,
    temperature_c: float,
    duration_s: float,
    request: pytest.FixtureRequest,
    rheobase_file: Path,
    tmp_path: Path,
) -> None:
    model, mechanisms = BALL, None
    if name != "ball_and_stick":
        mechanisms = request.getfixturevalue("mechanisms")
        stochastic = name == "stochastic"
        model = (
            request.getfixturevalue("stochastic_model")
            if stochastic
            else request.getfixturevalue("packaged_models")[name]
        )
    whole, resumed = tmp_path / "whole" / "entry.h5", tmp_path / "resumed" / "entry.h5"
    assert start(model, mechanisms, rheobase_file, whole, temperature_c, duration_s).wait() == 0

    job = start(model, mechanisms, rheobase_file, resumed, temperature_c, duration_s)
    while job.poll() is None and not list(resumed.parent.glob(".entry.h5.work-*/slice-000002.h5")):
        time.sleep(0.002)
    job.send_signal(signal.SIGKILL)
    job.wait()
    assert not resumed.exists(), "the run was over before it could be killed"
    kept = list(resumed.parent.glob(".entry.h5.work-*/slice-000002.h5"))
    assert len(kept) == 1
    written = kept[0].stat().st_mtime_ns

    job = start(model, mechanisms, rheobase_file, resumed, temperature_c, duration_s)
    while job.poll() is None:
        if kept[0].exists():
            assert kept[0].stat().st_mtime_ns == written, "a finished slice was simulated again"
        time.sleep(0.01)
    assert job.returncode == 0
    assert resumed.read_bytes() == whole.read_bytes()
    assert sorted(path.name for path in resumed.parent.iterdir()) == sorted(
        path.name for path in whole.parent.iterdir()
    )


def test_a_damaged_slice_is_simulated_again(
    rheobase_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "entry.h5"
    simulate_bank_entry(BALL, "v000", 0, rheobase_file, output, **SETTINGS)
    whole = output.read_bytes()
    output.unlink()

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(currents_module, "_assemble", stop)
        simulate_bank_entry(BALL, "v000", 0, rheobase_file, output, **SETTINGS)
    slices = sorted(tmp_path.glob(".entry.h5.work-*/slice-*.h5"))
    assert len(slices) == 4
    slices[1].write_bytes(slices[1].read_bytes()[:1000])
    simulate_bank_entry(BALL, "v000", 0, rheobase_file, output, **SETTINGS)
    assert output.read_bytes() == whole


def test_slices_of_other_settings_are_not_resumed(
    rheobase_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "entry.h5"

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(currents_module, "_assemble", stop)
        simulate_bank_entry(BALL, "v000", 0, rheobase_file, output, **{**SETTINGS, "root_seed": 4})
    simulate_bank_entry(BALL, "v000", 0, rheobase_file, output, **SETTINGS)
    resumed = output.read_bytes()
    output.unlink()
    simulate_bank_entry(BALL, "v000", 0, rheobase_file, output, **SETTINGS)
    assert output.read_bytes() == resumed
    assert not list(tmp_path.glob(".entry*"))


def test_a_current_that_is_not_a_number_names_cell_and_time(
    rheobase_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def poisoned(*args: object, **kwargs: object) -> np.ndarray:
        current = stimulus_current(*args, **kwargs)
        current[4000:] = np.nan
        return current

    monkeypatch.setattr(currents_module, "stimulus_current", poisoned)
    with pytest.raises(NumericalError, match=r"ball_and_stick/v000-0: the membrane current is not finite at 400\.1 ms"):
        simulate_bank_entry(BALL, "v000", 0, rheobase_file, tmp_path / "entry.h5", **SETTINGS)
    assert not (tmp_path / "entry.h5").exists()


def test_coefficients_take_32_bits_where_16_would_break_the_tolerance(rheobase_file: Path, tmp_path: Path) -> None:
    bank = BankSettings(duration_s=0.5, rms_error_percent=0.002, max_error_uv=0.01)
    error = simulate_bank_entry(BALL, "v000", 0, rheobase_file, tmp_path / "entry.h5", **{**SETTINGS, "bank": bank})
    entry = read_bank_entry(tmp_path / "entry.h5")
    assert entry.coefficients.dtype == np.float32
    assert (entry.scale == 1).all()
    assert error["rms_error_percent"] <= 0.002
    assert error["max_error_uv"] <= 0.01
    starts = np.array([100, 2000])
    windows = entry.windows(starts, 50)
    np.testing.assert_array_equal(windows[1], entry.components(2000, 2050))


def test_a_tolerance_out_of_reach_is_an_error(rheobase_file: Path, tmp_path: Path) -> None:
    bank = BankSettings(duration_s=0.5, max_error_uv=1e-9)
    with pytest.raises(NumericalError, match="uV"):
        simulate_bank_entry(BALL, "v000", 0, rheobase_file, tmp_path / "entry.h5", **{**SETTINGS, "bank": bank})
