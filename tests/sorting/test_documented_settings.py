"""Settings of sorters follow from the probe and the sampling rate."""

from __future__ import annotations

import numpy as np
import pytest

from spikeline.config.recordings import ProbeSettings
from spikeline.config.sorting import SorterSettings
from spikeline.simulation.recordings.probes import make_probe
from spikeline.sorting.documented_settings import documented_settings
from spikeline.sorting.parameters import sorter_parameters


def places(kind: str, **settings: object) -> np.ndarray:
    return make_probe(ProbeSettings(kind=kind, **settings)).contact_positions


def test_kilosort4_on_a_tetrode() -> None:
    told = documented_settings("kilosort4", places("tetrode"), 10_000.0)
    assert told["nearest_chans"] == told["nearest_templates"] == 4 and told["batch_size"] == 100_000
    assert told["nblocks"] == 0 and told["do_correction"] is False and told["do_CAR"] is False
    assert told["dminx"] == 13.0 and told["nt"] == 21
    assert documented_settings("kilosort4", places("tetrode"), 30_000.0)["nt"] == 61


def test_kilosort4_on_32_channels_keeps_its_reference_and_looks_at_all_its_channels() -> None:
    told = documented_settings("kilosort4", places("grid32", pitch_um=25.0), 30_000.0)
    assert told == {"nt": 61, "dminx": 25.0, "nearest_templates": 32, "nblocks": 0, "do_correction": False}


def test_kilosort4_on_a_long_probe_is_as_its_authors_set_it() -> None:
    assert documented_settings("kilosort4", places("neuropixels"), 30_000.0) == {"nt": 61, "dminx": 32.0}


@pytest.mark.parametrize(("channels", "known"), [(1, False), (16, False)])
def test_one_column_has_no_lateral_distance(channels: int, known: bool) -> None:
    assert ("dminx" in documented_settings("kilosort4", places("linear", channels=channels), 30_000.0)) is known


def test_mountainsort5_has_a_band_below_the_nyquist_frequency() -> None:
    assert documented_settings("mountainsort5", places("tetrode"), 10_000.0)["freq_max"] == 4500.0
    assert documented_settings("mountainsort5", places("tetrode"), 30_000.0)["freq_max"] == 6000.0


def test_others_are_told_nothing() -> None:
    assert documented_settings("tridesclous2", places("tetrode"), 30_000.0) == {}


@pytest.mark.parametrize("kind", ["tetrode", "grid32", "neuropixels"])
def test_spykingcircus2_decides_itself_whether_motion_can_be_seen(kind: str) -> None:
    told = sorter_parameters(SorterSettings(sorter="spykingcircus2"), places(kind), 30_000.0, 1, 0)
    assert "apply_motion_correction" not in told
