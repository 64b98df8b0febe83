"""Making recordings against the clock and against MEArec: small, untimed."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from spikeline.config.recordings import NoiseSettings, ProbeSettings, RecordingSettings
from spikeline.simulation.benchmarks.mearec_over_ours import Case, compare_mearec_with_ours
from spikeline.simulation.benchmarks.synthesis_realtime import enough_entries, synthesis_case
from tests.simulation.recordings_fixtures import make_bank

MEAREC_RECORDING = Path(__file__).parents[2] / "scripts/benchmarks/peers/mearec_recording.py"


def test_copies_of_entries_have_memory_and_names_of_their_own():
    bank = make_bank(2, 1, duration_s=4.0)
    entries = enough_entries(bank, 5, seconds=2.0)
    assert len(entries) == len({entry.name for entry in entries}) == 5
    assert all(entry.duration_s == 2.0 and (entry.spike_samples < entry.n_samples).all() for entry in entries)
    assert np.array_equal(entries[0].coefficients, entries[2].coefficients)
    assert not np.shares_memory(entries[0].coefficients, entries[2].coefficients)


def test_enough_entries_are_left_as_they_are_many():
    bank = make_bank(3, 1, duration_s=2.0)
    assert [entry.name for entry in enough_entries(bank, 1)] == [entry.name for entry in bank]


def test_a_recording_is_made_against_the_clock():
    settings = RecordingSettings(
        probe=ProbeSettings(kind="tetrode"), units=2, noise=NoiseSettings(background_units=1), drive="continuous"
    )
    case = synthesis_case(make_bank(4, 1, duration_s=2.0), settings, 1, repetitions=2)
    assert case["realtime"] > 0 and case["channels"] == 4 and case["duration_s"] == pytest.approx(1.6)


@pytest.mark.skipif(importlib.util.find_spec("MEArec") is None, reason="MEArec is not installed")
def test_mearec_makes_the_same_recording():
    case = compare_mearec_with_ours(
        make_bank(3, 1, duration_s=4.0),
        [sys.executable, str(MEAREC_RECORDING)],
        Case("electrode", "white", filtered=False),
        seed=1,
        units=2,
        duration_s=2.0,
        repetitions=1,
        ways=[{"n_jobs": 1, "chunk_duration_s": 0.0, "tmp_mode": None}],
    )
    assert case["mearec"]["shape"] == [60_000, 4] and case["mearec"]["dtype"] == "float32"
    assert case["mearec"]["deviation_uv"] == pytest.approx(10.0, rel=0.1)
    assert case["ratio"] > 0 and case["spikes"] > 0
