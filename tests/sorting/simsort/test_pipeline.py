"""From a recording to its units with networks made by hand: easy units are found, at any rate, on any channels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import spikeinterface as si
import torch

from spikeline.config.simsort import SimSortSettings
from spikeline.errors import DataError, FormatError
from spikeline.sorting.simsort.pipeline import Sorted, sort
from tests.sorting.simsort.handmade_networks import write_handmade_networks
from tests.sorting.simsort.planted import noise, plant, spike_shape, train

SECONDS = 20
SETTINGS = SimSortSettings()


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_handmade_networks(tmp_path_factory.mktemp("weights"))


def grid(n: int) -> np.ndarray:
    side = int(np.ceil(np.sqrt(n)))
    return 40.0 * np.stack(np.divmod(np.arange(n), side), axis=1)


def recording(
    n_channels: int, n_units: int, *, rate: float = 10_000.0, seconds: int = SECONDS
) -> tuple[si.NumpyRecording, list[np.ndarray]]:
    """Units with a channel of their own as far as there are enough; also their times, in samples."""
    stretch = round(rate / 10_000)
    n_samples = round(seconds * rate)
    where, traces, trains = grid(n_channels), noise(n_samples, n_channels), []
    for unit in range(n_units):
        home = unit * n_channels // n_units
        falls = np.exp(-np.linalg.norm(where - where[home], axis=1) / 20)
        size = 12.0 if n_channels >= n_units else 12.0 + 14.0 * unit  # on one channel they differ in size
        shape = spike_shape(unit, 1, 1.0)
        peak = np.abs(shape(np.arange(-5, 6))).max()
        times = np.sort(train(7.0, seconds * 10_000, unit) * stretch)
        gains = size / peak * falls
        plant(traces, lambda at, shape=shape, gains=gains: shape(at) * gains, times, stretch=stretch)
        trains.append(times)
    made = si.NumpyRecording([8 * traces], rate)
    made.set_dummy_probe_from_locations(where)
    return made, trains


def check(result: Sorted, trains: list[np.ndarray], rate: float, n_channels: int) -> None:
    """As many units as there are, each with nearly all spikes of one of them and nearly none else."""
    assert (np.diff(result.spike_samples) >= 0).all()
    assert len(result.unit_channels) == len(trains) and set(result.unit_index) == set(range(len(trains)))
    assert (result.spike_scores > 0).all()
    assert (result.unit_channels >= 0).all() and (result.unit_channels < n_channels).all()
    partner = set()
    for unit in range(len(trains)):
        own = result.spike_samples[result.unit_index == unit]
        shares = [
            (np.abs(own[:, None] - times[None]).min(axis=1) <= 0.0003 * rate).sum() / max(len(own), len(times))
            for times in trains
        ]
        assert max(shares) > 0.9
        partner.add(int(np.argmax(shares)))
    assert partner == set(range(len(trains)))


@pytest.mark.parametrize("rate", [10_000.0, 30_000.0])
def test_units_of_a_tetrode_are_found_in_the_recordings_own_samples(rate: float, weights: Path) -> None:
    made, trains = recording(4, 3, rate=rate)
    check(sort(made, SETTINGS, weights=weights, device="cpu"), trains, rate, 4)


@pytest.mark.parametrize(("n_channels", "n_units"), [(1, 2), (2, 2), (16, 5)])
def test_units_are_found_on_few_and_on_many_channels_once(n_channels: int, n_units: int, weights: Path) -> None:
    made, trains = recording(n_channels, n_units)
    result = sort(made, SETTINGS, weights=weights, device="cpu")
    check(result, trains, 10_000.0, n_channels)
    if n_channels >= n_units:
        assert sorted(result.unit_channels) == [unit * n_channels // n_units for unit in range(n_units)]


def test_threads_and_the_place_of_the_traces_change_nothing(
    weights: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    made, _ = recording(4, 2)
    before = torch.get_num_threads()
    one = sort(made, SETTINGS, weights=weights, device="cpu")
    assert capfd.readouterr().err == ""
    other = sort(made, SETTINGS, weights=weights, device="cpu", threads=2, folder=tmp_path, progress=True)
    assert "matching" in capfd.readouterr().err
    assert torch.get_num_threads() == before
    for name in ("spike_samples", "unit_index", "unit_channels", "spike_scores"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@pytest.mark.parametrize("n_channels", [1, 4, 6])
def test_without_spikes_there_are_no_units(n_channels: int, weights: Path) -> None:
    made, _ = recording(n_channels, 0, seconds=5)
    result = sort(made, SETTINGS, weights=weights, device="cpu")
    for name in ("spike_samples", "unit_index", "unit_channels", "spike_scores"):
        assert len(getattr(result, name)) == 0


def test_a_unit_needs_enough_spikes(weights: Path) -> None:
    made, trains = recording(4, 2)
    most = max(len(times) for times in trains) + 20
    result = sort(made, SimSortSettings(fewest_spikes=most), weights=weights, device="cpu")
    assert len(result.spike_samples) == len(result.unit_channels) == 0


def test_what_cannot_be_sorted_is_refused(weights: Path, tmp_path: Path) -> None:
    def of(traces: np.ndarray, rate: float = 10_000.0) -> si.NumpyRecording:
        made = si.NumpyRecording([traces], rate)
        made.set_dummy_probe_from_locations(grid(traces.shape[1]))
        return made

    for made, message in (
        (of(noise(20_000), 5000.0), "a recording at 5000 Hz"),
        (of(noise(100)), "samples to measure noise on"),
        (of(np.zeros((20_000, 4), np.float32)), "every channel is constant"),
    ):
        with pytest.raises(DataError, match=message):
            sort(made, SETTINGS, weights=weights, device="cpu")
    with pytest.raises(FormatError, match="does not exist"):
        sort(of(noise(20_000)), SETTINGS, weights=tmp_path, device="cpu")
