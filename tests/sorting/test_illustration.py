"""The tables of the real recording's figure."""

from __future__ import annotations

import numpy as np
import pytest

from spikeline.errors import DataError
from spikeline.sorting.illustration import real_recording_tables
from tests.simulation.illustration.test_recording_tables import RATE, labelled_recording

si = pytest.importorskip("spikeinterface")


def test_every_spike_has_its_amplitude_and_every_unit_its_waveform() -> None:
    recording, truth = labelled_recording()
    nothing = si.NumpySorting.from_unit_dict([{}], RATE)
    tables = real_recording_tables(recording, {"good": truth, "idle": nothing}, window_ms=100)
    spikes, waves = tables["spikes"], tables["waveforms"]
    assert len(spikes) == 80 and set(spikes["sorter"]) == {"good"}
    assert (
        spikes.groupby("unit_id")["amplitude"].median()["a"]
        < 1.5 * spikes.groupby("unit_id")["amplitude"].median()["b"]
        < 0
    )
    np.testing.assert_allclose(
        np.sort(spikes.loc[spikes["unit_id"] == "a", "time_s"] * RATE), truth.get_unit_spike_train("a")
    )
    assert waves.groupby("unit_id")["channel"].nunique().eq(4).all()
    assert waves.loc[waves["mean"].idxmin(), "time_ms"] == pytest.approx(0.0, abs=0.2)
    assert set(tables["excerpt"]["unit"]) == {"uV"}


def test_waveforms_are_kept_for_the_units_with_most_spikes() -> None:
    recording, truth = labelled_recording()
    fewer = si.NumpySorting.from_unit_dict(
        [{"a": truth.get_unit_spike_train("a")[:5], "b": truth.get_unit_spike_train("b")}], RATE
    )
    tables = real_recording_tables(recording, {"s": fewer}, most_units=1)
    assert set(tables["waveforms"]["unit_id"]) == {"b"} and set(tables["spikes"]["unit_id"]) == {"a", "b"}


@pytest.mark.parametrize(("said", "unit"), [(None, "adc"), ("adc", "adc"), ("arbitrary", "arbitrary"), ("uV", "adc")])
def test_a_recording_without_gain_is_in_what_its_data_set_says(said: str | None, unit: str) -> None:
    recording, truth = labelled_recording()
    plain = si.NumpyRecording([recording.get_traces()], RATE)
    plain.annotate(unit=said)
    assert set(real_recording_tables(plain, {"s": truth}, window_ms=50)["excerpt"]["unit"]) == {unit}


def test_no_sorting_is_refused() -> None:
    with pytest.raises(DataError, match="no sorting"):
        real_recording_tables(labelled_recording()[0], {})
