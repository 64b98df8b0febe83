"""The tables of the bank's figures, on synthetic entries."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from spikeline.errors import DataError, FormatError
from spikeline.simulation.bank import write_bank_entry
from spikeline.simulation.bank.reference_contacts import reference_contacts
from spikeline.simulation.field.line_source import line_source_matrix
from spikeline.simulation.illustration.bank_summary import BANK_COLUMNS, bank_table
from spikeline.simulation.illustration.bank_tables import bank_tables
from spikeline.simulation.illustration.extracellular_spike import extracellular_spike
from spikeline.simulation.illustration.footprint import electrode_grid, footprint_table
from spikeline.simulation.illustration.morphology import morphology_table
from spikeline.simulation.illustration.rank_error import rank_error_table
from spikeline.simulation.illustration.traces import lively_window, traces_table
from tests.synthetic_bank import synthetic_entry


def test_extracellular_spike_equals_the_average_of_cut_out_potentials() -> None:
    entry = synthetic_entry()
    contacts = electrode_grid(50, 50, 50)
    potential = line_source_matrix(entry.geometry, contacts) @ entry.currents().astype(np.float64)
    expected = np.mean([potential[:, peak - 10 : peak + 31] for peak in entry.spike_samples], axis=0)
    expected -= expected[:, :2].mean(axis=1, keepdims=True)
    time, found = extracellular_spike(entry, contacts)
    np.testing.assert_allclose(found, expected, atol=1e-3)
    assert time[0] == -1.0 and time[-1] == 3.0 and len(time) == found.shape[1]


def test_extracellular_spike_leaves_out_spikes_cut_by_the_ends() -> None:
    entry = synthetic_entry(spikes=3)
    contacts = electrode_grid(25, 25, 25)
    with_edges = replace(entry, spike_samples=np.r_[2, entry.spike_samples, entry.n_samples - 3])
    np.testing.assert_array_equal(extracellular_spike(entry, contacts)[1], extracellular_spike(with_edges, contacts)[1])


def test_a_silent_cell_has_no_spike_and_no_traces() -> None:
    silent = synthetic_entry(spikes=0)
    with pytest.raises(DataError, match="no whole spike"):
        extracellular_spike(silent, electrode_grid())
    with pytest.raises(DataError, match="never fires"):
        traces_table(silent)


def test_footprint_is_largest_at_the_soma() -> None:
    table = footprint_table(synthetic_entry())
    largest = table.loc[table["potential_uv"].abs().idxmax()]
    assert np.hypot(largest["x_um"], largest["y_um"]) <= 36.0
    assert len(table) == len(electrode_grid()) * table["time_ms"].nunique()


def test_morphology_has_one_row_per_segment() -> None:
    geometry = synthetic_entry().geometry
    table = morphology_table("a", geometry)
    assert len(table) == geometry.n_segments and table["is_soma"].sum() == 1
    np.testing.assert_allclose(table[["x1_um", "y1_um"]], geometry.end_um[:, :2], atol=6e-4)


def test_rank_error_falls_and_ends_at_the_entrys_own_error() -> None:
    entry = synthetic_entry()
    table = rank_error_table(entry)
    assert list(table["rank"]) == list(range(1, entry.rank + 1))
    assert (np.diff(table["rms_error_percent"]) <= 1e-9).sum() >= entry.rank - 2
    assert table["max_error_uv"].iloc[-1] == pytest.approx(entry.error["max_error_uv"])
    assert table["rms_error_percent"].iloc[-1] == pytest.approx(entry.error["rms_error_percent"])


def test_rank_error_agrees_with_a_plain_svd_of_the_currents() -> None:
    entry = replace(synthetic_entry(), error={})
    currents = entry.currents().astype(np.float64)
    left, values, right = np.linalg.svd(currents, full_matrices=False)
    matrix = line_source_matrix(entry.geometry, reference_contacts(entry.geometry, 20.0))
    cut = matrix @ (left[:, 3:] * values[3:]) @ right[3:]
    row = rank_error_table(entry).set_index("rank").loc[3]
    assert row["max_error_uv"] == pytest.approx(np.abs(cut).max(), rel=1e-3)
    lost, whole = (np.linalg.norm(potential.reshape(120, -1), axis=1) for potential in (cut, matrix @ currents))
    assert row["rms_error_percent"] == pytest.approx(100 * (lost / whole).max(), rel=1e-3)


def test_rank_error_refuses_an_entry_without_current() -> None:
    entry = synthetic_entry()
    with pytest.raises(DataError, match="no membrane current"):
        rank_error_table(replace(entry, coefficients=np.zeros_like(entry.coefficients)))


def test_lively_window_holds_the_wanted_spikes() -> None:
    spikes = np.array([1000, 5000, 5400, 5900, 9000])
    start = lively_window(spikes, 20_000, 2000)
    assert ((spikes >= start) & (spikes < start + 2000)).sum() == 3
    assert lively_window(np.array([19_990]), 20_000, 2000) == 18_000
    assert lively_window(np.array([5]), 1000, 5000) == 0


def test_traces_hold_the_soma_and_four_electrodes() -> None:
    entry = synthetic_entry()
    table = traces_table(entry, window_ms=100)
    assert list(dict.fromkeys(table["trace"])) == ["soma", *(f"electrode {i}" for i in range(1, 5))]
    assert table.groupby("trace").size().eq(1000).all()
    assert set(table["unit"]) == {"mV", "uV"} and table.loc[table["trace"] == "soma", "value"].max() > 0


def test_bank_tables_make_every_table(tmp_path) -> None:
    paths = []
    for cell, seed, spikes in (
        ("L5_TTPC1_cADpyr232_1", 0, 12),
        ("L5_TTPC1_cADpyr232_1", 1, 9),
        ("L5_NBC_bAC217_1", 0, 0),
    ):
        paths.append(tmp_path / f"{cell}-{seed}.h5")
        write_bank_entry(paths[-1], synthetic_entry(cell, seed, spikes=spikes))
    tables = bank_tables(paths, split_of={"L5_TTPC1_cADpyr232_1": "train", "L5_NBC_bAC217_1": "test"})
    assert set(tables) == {"morphology", "footprint", "rank_error", "traces", "bank"}
    assert list(tables["bank"].columns) == list(BANK_COLUMNS) and len(tables["bank"]) == 3
    assert list(tables["bank"]["n_spikes"]) == [0, 12, 9] and list(tables["bank"]["split"]) == [
        "test",
        "train",
        "train",
    ]
    assert set(tables["morphology"]["cell"]) == {"L5_TTPC1_cADpyr232_1", "L5_NBC_bAC217_1"}
    assert set(tables["footprint"]["cell"]) == {"L5_TTPC1_cADpyr232_1"}
    with pytest.raises(DataError, match="L5_NBC_bAC217_1 never fires"):
        bank_tables(paths, traces_cell="L5_NBC_bAC217_1")


def test_bank_tables_refuse_an_empty_bank_and_a_truncated_entry(tmp_path) -> None:
    with pytest.raises(DataError, match="no bank entry"):
        bank_tables([])
    path = tmp_path / "a.h5"
    write_bank_entry(path, synthetic_entry(seconds=0.5, spikes=2))
    path.write_bytes(path.read_bytes()[:3000])
    with pytest.raises(FormatError, match="as HDF5"):
        bank_table([path])
