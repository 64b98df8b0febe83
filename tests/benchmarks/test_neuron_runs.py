"""The three ways to run a cell, and LFPy on a cell of a package: small, untimed."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from spikeline.artifacts import write_json
from spikeline.child import module_command, run_child
from spikeline.config.simulation import BankSettings, IntegrationSettings, StimulusSettings
from spikeline.errors import DataError
from spikeline.simulation.bank.rheobase import RHEOBASE_SCHEMA
from spikeline.simulation.benchmarks.bank_over_bare_neuron import NEURON_RUN, compare_bank_with_bare_neuron
from spikeline.simulation.benchmarks.lfpy_probes_over_bank import compare_lfpy_with_bank
from spikeline.simulation.benchmarks.neuron_runs import neuron_jobs
from spikeline.simulation.benchmarks.resimulate_over_replace import compare_resimulating_with_replacing
from tests.simulation import cell_packages

pytestmark = pytest.mark.neuron
LFPY_PROBES = Path(__file__).parents[2] / "scripts/benchmarks/peers/lfpy_probes.py"


def job(where, cell="ball_and_stick", **cells):
    """A fraction of a second of a cell, in two slices; squid channels need it cool."""
    rheobase = {"cell": cell, "rheobase_na": 0.3, "found": True, "spontaneous": False, "tried_na": []}
    write_json(where / "rheobase.json", rheobase, schema=RHEOBASE_SCHEMA)
    (made,) = neuron_jobs(
        [where / "rheobase.json"],
        cells={"source": "ball_and_stick", "train": [cell], "test": [], **cells},
        mechanisms=None,
        integration=IntegrationSettings(temperature_c=20.0),
        stimulus=StimulusSettings(mean_rheobase=1.0),
        bank=BankSettings(duration_s=0.4, slice_s=0.2),
        seed=3,
    )
    return made


def test_all_ways_simulate_the_same_spikes(tmp_path):
    runs = [
        run_child(module_command(NEURON_RUN), {**job(tmp_path), "side": side}) for side in ("bare", "bank", "again")
    ]
    assert len({run["spikes"] for run in runs}) == 1 and runs[0]["spikes"] > 0
    assert len({run["segments"] for run in runs}) == 1
    assert all(run["seconds"] > 0 and run["building_s"] > 0 for run in runs)


def test_the_bank_beside_bare_neuron(tmp_path):
    case = compare_bank_with_bare_neuron(job(tmp_path), repetitions=1)
    assert case["ratio"] > 0 and case["ratio_with_building"] > 0 and case["bank"]["rank"] >= 1


def test_placing_again_beside_simulating_again(tmp_path):
    case = compare_resimulating_with_replacing(job(tmp_path), repetitions=2)
    assert case["ratio"] > 0 and len(case["replace"]["seconds"]) == 2


@pytest.mark.skipif(importlib.util.find_spec("LFPy") is None, reason="LFPy is not installed")
def test_lfpy_simulates_the_same_cell(tmp_path):
    package = tmp_path / "cells" / "L9_TEST_1"
    cell_packages.write_package(package)
    biophysics = package / "biophysics.hoc"  # without the channel that would have to be compiled
    biophysics.write_text(biophysics.read_text().replace("insert StochKv", ""))
    settings = job(tmp_path, "L9_TEST_1", source="bbp_folder", folder=str(tmp_path / "cells"))
    case = compare_lfpy_with_bank(settings, [sys.executable, str(LFPY_PROBES)], repetitions=1)
    assert case["lfpy"]["segments"] == case["bank"]["segments"]
    assert case["lfpy"]["spikes"] == case["bank"]["spikes"] > 0
    assert case["ratio"] > 0


def test_lfpy_needs_a_package(tmp_path):
    with pytest.raises(DataError, match="which has no files, for LFPy"):
        compare_lfpy_with_bank(job(tmp_path), [sys.executable, str(LFPY_PROBES)])
