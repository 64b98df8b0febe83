"""Probes and their contacts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import probeinterface
import pytest

from spikeline.config.recordings import ProbeSettings
from spikeline.errors import ConfigError, DataError, FormatError
from spikeline.simulation.recordings.probes import contact_positions, in_probe_frame, make_probe, read_probe


def written_probe(path: Path, probe: probeinterface.Probe) -> Path:
    group = probeinterface.ProbeGroup()
    group.add_probe(probe)
    probeinterface.write_probeinterface(path, group)
    return path


def test_tetrode_of_the_paper() -> None:
    contacts = contact_positions(make_probe(ProbeSettings()))
    assert contacts.shape == (4, 3)
    assert np.all(contacts[:, 1] == 0), "the tips lie in the x-z plane"
    assert np.all(np.abs(contacts[:, [0, 2]]) == 6.5)
    distances = np.linalg.norm(contacts[:, None] - contacts[None], axis=2)
    assert np.sort(distances[0])[1] == 13.0


@pytest.mark.parametrize(
    ("kind", "channels", "count"),
    [("grid32", None, 32), ("neuropixels", None, 384), ("neuropixels", 64, 64), ("linear", 8, 8), ("linear", None, 16)],
)
def test_layouts(kind: str, channels: int | None, count: int) -> None:
    probe = make_probe(ProbeSettings(kind=kind, channels=channels, pitch_um=25.0))
    contacts = contact_positions(probe)
    assert contacts.shape == (count, 3)
    assert np.all(contacts[:, 2] == 0), "a shank lies in the x-y plane"
    assert len(np.unique(contacts, axis=0)) == count
    assert list(probe.device_channel_indices) == list(range(count))
    assert list(probe.contact_ids) == [str(i) for i in range(count)]


def test_neuropixels_is_staggered() -> None:
    contacts = contact_positions(make_probe(ProbeSettings(kind="neuropixels")))
    assert sorted(np.unique(contacts[:, 0])) == [-24.0, -8.0, 8.0, 24.0]
    assert contacts[:, 1].max() == 20 * 191


def test_probe_frame_of_a_tetrode_has_the_depth_last() -> None:
    position = np.array([[1.0, 2.0, 3.0]])
    assert in_probe_frame(position, make_probe(ProbeSettings())).tolist() == [[1.0, 3.0, 2.0]]
    assert in_probe_frame(position, make_probe(ProbeSettings(kind="grid32"))).tolist() == [[1.0, 2.0, 3.0]]


def test_file_is_ordered_by_channel_and_scaled(tmp_path: Path) -> None:
    probe = probeinterface.Probe(ndim=2, si_units="mm")
    probe.set_contacts(
        positions=np.array([[0, 0], [0, 0.02], [0, 0.04]]), shapes="circle", shape_params={"radius": 0.005}
    )
    probe.set_device_channel_indices([2, 0, 1])
    contacts = contact_positions(read_probe(written_probe(tmp_path / "probe.json", probe)))
    np.testing.assert_allclose(contacts[:, 1], [20, 40, 0])


def test_file_goes_through_the_settings(tmp_path: Path) -> None:
    path = written_probe(tmp_path / "probe.json", make_probe(ProbeSettings(kind="linear", channels=5)))
    made = make_probe(ProbeSettings(kind="file", file=str(path)))
    assert made.get_contact_count() == 5


def test_three_dimensional_file_keeps_its_positions(tmp_path: Path) -> None:
    probe = make_probe(ProbeSettings(kind="linear", channels=3)).to_3d(axes="xz")
    contacts = contact_positions(read_probe(written_probe(tmp_path / "probe.json", probe)))
    np.testing.assert_allclose(contacts[:, 2], [0, 13, 26])


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="does not exist"):
        read_probe(tmp_path / "nowhere.json")


@pytest.mark.parametrize(
    "text", ["not json", "[]", '{"specification": "something else"}', '{"specification": "probeinterface"}']
)
def test_not_a_probe_file(tmp_path: Path, text: str) -> None:
    path = tmp_path / "probe.json"
    path.write_text(text)
    with pytest.raises(FormatError, match="probe"):
        read_probe(path)


def test_probe_without_contacts(tmp_path: Path) -> None:
    path = written_probe(tmp_path / "probe.json", make_probe(ProbeSettings()))
    document = json.loads(path.read_text())
    document["probes"][0]["contact_positions"] = []
    path.write_text(json.dumps(document))
    with pytest.raises(DataError, match="no contacts"):
        read_probe(path)


def test_probe_object_without_contacts() -> None:
    with pytest.raises(DataError, match="without contacts"):
        contact_positions(make_probe(ProbeSettings()).get_slice(np.zeros(4, dtype=bool)))


def test_two_probes_in_one_file(tmp_path: Path) -> None:
    path = written_probe(tmp_path / "probe.json", make_probe(ProbeSettings()))
    document = json.loads(path.read_text())
    document["probes"] *= 2
    path.write_text(json.dumps(document))
    with pytest.raises(DataError, match="2 probes"):
        read_probe(path)


def test_damaged_probe_entry(tmp_path: Path) -> None:
    path = written_probe(tmp_path / "probe.json", make_probe(ProbeSettings()))
    document = json.loads(path.read_text())
    document["probes"][0]["contact_positions"] = "here"
    path.write_text(json.dumps(document))
    with pytest.raises(FormatError, match="cannot read"):
        read_probe(path)


def test_unwired_probe(tmp_path: Path) -> None:
    probe = make_probe(ProbeSettings())
    probe.set_device_channel_indices([-1, -1, -1, -1])
    with pytest.raises(DataError, match="wires no contact"):
        read_probe(written_probe(tmp_path / "probe.json", probe))


def test_doubled_channel_and_id(tmp_path: Path) -> None:
    path = written_probe(tmp_path / "probe.json", make_probe(ProbeSettings()))
    document = json.loads(path.read_text())
    document["probes"][0]["device_channel_indices"] = [0, 0, 1, 2]
    path.write_text(json.dumps(document))
    with pytest.raises(DataError, match="two contacts to one channel"):
        read_probe(path)


def test_channels_on_a_probe_of_fixed_size() -> None:
    with pytest.raises(ConfigError, match=r"probe\.channels"):
        make_probe(ProbeSettings(kind="tetrode", channels=8))


def test_a_probe_in_other_units_becomes_one_in_um(tmp_path: Path) -> None:
    probe = probeinterface.Probe(ndim=2, si_units="mm")
    probe.set_contacts(np.array([[0.0, 0.0], [0.0, 0.02]]), shapes="circle", shape_params={"radius": 0.005})
    probe.set_device_channel_indices([0, 1])
    probeinterface.write_probeinterface(tmp_path / "mm.json", probe)
    read = read_probe(tmp_path / "mm.json")
    assert read.si_units == "um"
    np.testing.assert_allclose(read.contact_positions, [[0, 0], [0, 20]])
    assert [shape["radius"] for shape in read.contact_shape_params] == [5.0, 5.0]
