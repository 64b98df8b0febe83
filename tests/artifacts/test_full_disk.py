"""A disk without room gives one clear error, keeps the old artefact and leaves nothing half-written."""

import contextlib
import os
import resource
import subprocess

import numpy as np
import pandas as pd
import pytest

from spikeline.artifacts import (
    atomic_file,
    atomic_folder,
    create_hdf5,
    file_checksum,
    write_csv,
    write_json,
    write_weights,
)
from spikeline.errors import DataError

LARGE = np.random.default_rng(0).normal(size=100_000)  # 800 kB, and no compression makes it small


def _text(folder, values):
    with atomic_file(folder / "a.txt") as temporary:
        temporary.write_text(" ".join(map(str, values)))


def _folder(folder, values):
    with atomic_folder(folder / "inner") as temporary:
        (temporary / "a.txt").write_text(" ".join(map(str, values)))


def _hdf5(folder, values):
    with create_hdf5(folder / "a.h5", "values") as file:
        for index in range(10):
            file.create_dataset(f"values_{index}", data=values)


def _chunked_hdf5(folder, values):
    """Chunks stay in HDF5's cache until the file is closed, and closing reports errors in its own way."""
    with create_hdf5(folder / "a.h5", "values") as file:
        data = file.create_dataset(
            "values", shape=values.shape, chunks=(min(len(values), 100_000),), dtype=values.dtype
        )
        data[:] = values


WRITERS = {
    "text": _text,
    "folder": _folder,
    "hdf5": _hdf5,
    "chunked hdf5": _chunked_hdf5,
    "json": lambda folder, values: write_json(folder / "a.json", values),
    "csv": lambda folder, values: write_csv(folder / "a.csv", pd.DataFrame({"value": values})),
    "weights": lambda folder, values: write_weights(folder / "a.safetensors", {"values": values}, {}),
}


@contextlib.contextmanager
def _file_size_limit(size):
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, old[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)


@pytest.fixture
def tiny_disk(tmp_path):
    """A file system of 256 kB; only root can mount one, and not in every container."""
    if (
        os.geteuid() != 0
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(tmp_path)], capture_output=True
        ).returncode
    ):
        pytest.skip("a file system of its own cannot be mounted here")
    yield tmp_path
    subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


def _tree(folder):
    return {path.relative_to(folder).as_posix(): file_checksum(path) for path in folder.rglob("*") if path.is_file()}


def _check_refused(folder, write):
    write(folder, LARGE[:100])
    before = _tree(folder)
    with pytest.raises(DataError) as caught:
        write(folder, LARGE)
    assert str(folder) in caught.value.seen
    assert "MB free" in caught.value.seen
    assert "free some space" in caught.value.remedy
    assert _tree(folder) == before


@pytest.mark.parametrize("kind", WRITERS)
def test_tiny_disk(tiny_disk, kind):
    _check_refused(tiny_disk, WRITERS[kind])


@pytest.mark.parametrize("kind", WRITERS)
def test_file_size_limit(tmp_path, kind):
    write = WRITERS[kind]
    write(tmp_path, LARGE[:100])  # libraries loaded at first use write their caches before the limit holds
    with _file_size_limit(200_000):
        _check_refused(tmp_path, write)


def test_other_errors_keep_their_type(tmp_path):
    with pytest.raises(PermissionError), atomic_file(tmp_path / "a"):
        raise PermissionError(13, "Permission denied")
    with pytest.raises(RuntimeError, match="mine"), atomic_file(tmp_path / "a"):
        raise RuntimeError("mine")
    assert list(tmp_path.iterdir()) == []
