import h5py
import numpy as np
import pytest

from spikeline.errors import DataError, FormatError
from spikeline.sorting.sorting_file import make_sorting, properties_of, read_sorting, spikes_of, write_sorting
from tests.sorting.trains import RATE_HZ


@pytest.fixture
def sorting():
    return make_sorting([30, 10, 20, 20], [0, 1, 1, 0], ["a", "b", "empty"], RATE_HZ, "a note")


def test_round_trip(tmp_path, sorting):
    write_sorting(tmp_path / "s.h5", sorting)
    back = read_sorting(tmp_path / "s.h5")
    for ours, theirs in zip(spikes_of(back), spikes_of(sorting), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert back.get_sampling_frequency() == RATE_HZ
    assert back.get_annotation("note") == "a note"
    assert back.get_unit_spike_train("a").tolist() == [20, 30]


def test_properties_of_units_round_trip(tmp_path, sorting):
    sorting.set_property("mean/score", np.array([0.5, np.nan, 2.0]))
    sorting.set_property("channel", np.array(["A-001", "é", ""]))
    sorting.set_property("good", np.array([True, False, True]))
    sorting.set_property("gain", np.array([1, 2, 3], dtype=np.int32))
    sorting.set_property("place_um", np.zeros((3, 2)))
    sorting.set_property("remark", np.array([{}, None, "x"], dtype=object))
    write_sorting(tmp_path / "s.h5", sorting)
    back = read_sorting(tmp_path / "s.h5")
    assert list(back.get_property("channel")) == ["A-001", "é", ""]
    assert list(back.get_property("good")) == [True, False, True]
    np.testing.assert_array_equal(back.get_property("mean/score"), [0.5, np.nan, 2.0])
    assert back.get_property("gain").dtype == np.int32
    assert set(properties_of(back)) == set(properties_of(sorting)) == {"mean/score", "channel", "good", "gain"}
    with h5py.File(tmp_path / "s.h5", "r+") as file:
        del file["unit_properties/good"]
        file["unit_properties/good"] = np.zeros(2, bool)
    with pytest.raises(FormatError, match="3 units, and other numbers of values of good"):
        read_sorting(tmp_path / "s.h5")


def test_empty_round_trip(tmp_path):
    write_sorting(tmp_path / "s.h5", make_sorting([], [], [], RATE_HZ))
    back = read_sorting(tmp_path / "s.h5")
    assert len(back.unit_ids) == len(back.to_spike_vector()) == 0
    assert back.get_annotation("note") == ""


def test_same_bytes_whatever_the_order_of_spikes(tmp_path, sorting):
    write_sorting(tmp_path / "a.h5", sorting)
    write_sorting(
        tmp_path / "b.h5", make_sorting([10, 20, 20, 30], [1, 0, 1, 0], ["a", "b", "empty"], RATE_HZ, "a note")
    )
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_truncated_and_inconsistent_files_are_refused(tmp_path, sorting):
    path = tmp_path / "s.h5"
    with pytest.raises(FormatError, match="does not exist"):
        read_sorting(path)
    write_sorting(path, sorting)
    with h5py.File(path, "r+") as file:
        file["unit_index"][0] = 7
    with pytest.raises(FormatError, match="4 spikes, 4 unit indices and 3 units"):
        read_sorting(path)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(FormatError, match="truncated"):
        read_sorting(path)


def test_several_segments_are_refused():
    import spikeinterface as si

    two = si.NumpySorting.from_unit_dict([{"a": np.array([1])}, {"a": np.array([2])}], RATE_HZ)
    with pytest.raises(DataError, match="2 segments"):
        spikes_of(two)
