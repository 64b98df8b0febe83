"""HDF5 artefacts: same bytes every time, refused unless whole, of the right schema and free of outside links."""

import time

import h5py
import numpy as np
import pytest

from spikeline.artifacts import create_hdf5, file_checksum, open_hdf5, read_manifest, write_hdf5
from spikeline.artifacts.hdf5 import check_links
from spikeline.errors import FormatError


def _write(path, **extra):
    write_hdf5(
        path, "values", {"a": np.arange(6.0).reshape(2, 3), "names": np.array(["x", "µ"])}, units={"a": "nA"}, **extra
    )


def _refused(path, word):
    with pytest.raises(FormatError, match=word), open_hdf5(path, "values"):
        pass


def test_round_trip_and_manifest(tmp_path):
    path = tmp_path / "deep" / "a.h5"
    _write(path, attributes={"rate_hz": 10.0})
    with open_hdf5(path, "values") as file:
        assert np.array_equal(file["a"][:], np.arange(6.0).reshape(2, 3))
        assert file["a"].attrs["unit"] == "nA"
        assert list(file["names"].asstr()[:]) == ["x", "µ"]
        assert file.attrs["rate_hz"] == 10.0
    assert read_manifest(path)["content"]["arrays"]["a"] == {"shape": [2, 3], "dtype": "float64", "unit": "nA"}
    assert sorted(p.name for p in path.parent.iterdir()) == ["a.h5", "a.h5.manifest.json"]


def test_same_bytes_a_second_later(tmp_path):
    """Time stamps of HDF5 objects have a resolution of one second."""
    checksums = []
    for index in range(2):
        path = tmp_path / str(index) / "a.h5"
        with create_hdf5(path, "values") as file:
            file.create_group("facts").attrs["x"] = 1
            file.create_dataset("deep/values", data=np.arange(1000), chunks=(100,), compression="gzip")
        checksums.append((file_checksum(path), path.with_name("a.h5.manifest.json").read_bytes()))
        time.sleep(1.01 * (1 - index))
    assert checksums[0] == checksums[1]


def test_error_in_the_block_keeps_the_old_artefact(tmp_path):
    path = tmp_path / "a.h5"
    _write(path)
    before = file_checksum(path)
    with pytest.raises(ZeroDivisionError), create_hdf5(path, "values") as file:
        file["half"] = np.zeros(3)
        raise ZeroDivisionError
    assert file_checksum(path) == before
    assert len(list(tmp_path.iterdir())) == 2


def test_truncated(tmp_path):
    path = tmp_path / "a.h5"
    _write(path)
    whole = path.read_bytes()
    for size in (0, 3, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        _refused(path, "cannot be read")


def test_flipped_bits_in_the_metadata(tmp_path):
    path = tmp_path / "a.h5"
    _write(path)
    whole = bytearray(path.read_bytes())
    refused = 0
    for position in range(0, len(whole), 97):
        damaged = whole.copy()
        damaged[position] ^= 0xFF
        path.write_bytes(damaged)
        try:
            with open_hdf5(path, "values"):
                pass
        except FormatError:  # and no other error
            refused += 1
    assert refused > 0


def test_missing_other_schema_other_version_unfinished(tmp_path):
    path = tmp_path / "a.h5"
    _refused(path, "does not exist")
    _write(path)
    with pytest.raises(FormatError, match="version 1"), open_hdf5(path, "values", 2):
        pass
    with pytest.raises(FormatError, match="'values'"), open_hdf5(path, "current-bank"):
        pass
    with h5py.File(path, "a") as file:
        del file.attrs["spikeline_complete"]
    _refused(path, "never finished")
    with h5py.File(tmp_path / "foreign.h5", "w") as file:
        file.attrs["schema_version"] = "one"
    _refused(tmp_path / "foreign.h5", "schema None")


def _external_link(file, other):
    file["deep/link"] = h5py.ExternalLink(str(other), "/secret")


def _soft_link_through_external(file, other):
    file["deep/door"] = h5py.ExternalLink(str(other), "/")
    file["soft"] = h5py.SoftLink("/deep/door/secret")


def _external_storage(file, other):
    file.create_dataset("raw", shape=(4,), dtype="u1", external=[(str(other), 0, 4)])


def _virtual(file, other):
    layout = h5py.VirtualLayout(shape=(3,), dtype="f8")
    layout[:] = h5py.VirtualSource(str(other), "secret", shape=(3,))
    file.create_virtual_dataset("assembled", layout)


@pytest.mark.parametrize("link", [_external_link, _soft_link_through_external, _external_storage, _virtual])
def test_links_out_of_the_file_are_refused(tmp_path, link):
    other = tmp_path / "other.h5"
    with h5py.File(other, "w") as file:
        file["secret"] = np.arange(3.0)
    path = tmp_path / "a.h5"
    _write(path)
    with h5py.File(path, "a") as file:
        link(file, other)
    _refused(path, r"other\.h5")
    with pytest.raises(FormatError, match=r"other\.h5"):
        check_links(path)


def test_links_inside_the_file_are_read(tmp_path):
    path = tmp_path / "a.h5"
    with create_hdf5(path, "values") as file:
        file["group/a"] = np.arange(3)
        file["soft"] = h5py.SoftLink("/group/a")
        file["dangling"] = h5py.SoftLink("/nowhere")
        file["group/loop"] = file["group"]  # a hard link that forms a loop
    with open_hdf5(path, "values") as file:
        assert list(file["soft"][:]) == [0, 1, 2]


def test_object_arrays_are_refused(tmp_path):
    with pytest.raises(FormatError, match="Python objects"):
        write_hdf5(tmp_path / "a.h5", "values", {"a": np.array([{}, None])})
    assert list(tmp_path.iterdir()) == []
