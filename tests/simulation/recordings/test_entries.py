"""Entries are read once, and no further than they are used."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from spikeline.config.recordings import RecordingSettings
from spikeline.simulation.bank import read_bank_entry, write_bank_entry
from spikeline.simulation.recordings.entries import read_entries
from tests.synthetic_bank import synthetic_entry


def test_a_bounded_read_is_the_beginning_of_the_whole(tmp_path: Path) -> None:
    entry = synthetic_entry(seconds=3.0)
    write_bank_entry(tmp_path / "a.h5", entry)
    part = read_bank_entry(tmp_path / "a.h5", 1.5)
    assert part.duration_s == 1.5
    np.testing.assert_array_equal(part.components(), entry.components(0, part.n_samples))
    assert list(part.spike_samples) == [sample for sample in entry.spike_samples if sample < part.n_samples]
    assert len(part.soma_voltage_mv) == part.n_samples
    assert read_bank_entry(tmp_path / "a.h5", 99.0).n_samples == entry.n_samples


def test_units_of_a_continuous_drive_are_read_whole(tmp_path: Path) -> None:
    for name in "abc":
        write_bank_entry(tmp_path / f"{name}.h5", synthetic_entry(seconds=3.0))
    units, background = [tmp_path / "a.h5"], [tmp_path / name for name in ("b.h5", "a.h5", "c.h5")]
    for drive, lengths in (("continuous", [3.0, 1.0, 3.0, 1.0]), ("events", [1.0] * 4)):
        settings = RecordingSettings(drive=drive, duration_s=1.0, bank_s=1.0)
        read = read_entries(units, background, settings)
        assert [entry.duration_s for entry in [*read.units, *read.background]] == lengths
        assert read.units[0] is read.background[1]
