"""Weights: safetensors and a card, nothing else."""

import subprocess
import sys

import numpy as np
import pytest

from spikeline.artifacts import file_checksum, read_weights, write_weights
from spikeline.artifacts.weights import card_path
from spikeline.errors import FormatError

ARRAYS = {
    "b": np.arange(6, dtype=np.float32).reshape(2, 3).T,
    "a": np.array([1, 2], dtype=np.int64),
    "c": np.array(True),
}


def test_round_trip(tmp_path):
    path = tmp_path / "model.safetensors"
    write_weights(path, ARRAYS, {"architecture": "gru", "hidden": np.int64(512)})
    arrays, card = read_weights(path)
    assert {name: array.dtype for name, array in arrays.items()} == {
        name: array.dtype for name, array in ARRAYS.items()
    }
    assert all(np.array_equal(arrays[name], ARRAYS[name]) for name in ARRAYS)
    assert card == {"architecture": "gru", "hidden": 512, "weights_sha256": file_checksum(path)}


def test_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_weights(tmp_path / name / "m.safetensors", dict(sorted(ARRAYS.items(), reverse=name == "a")), {})
    assert file_checksum(tmp_path / "a") == file_checksum(tmp_path / "b")


@pytest.mark.parametrize("name", ["model.pt", "model.pkl", "model.ckpt", "model"])
def test_other_formats_are_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"\x80\x04.")
    with pytest.raises(FormatError, match="safetensors"):
        read_weights(tmp_path / name)
    with pytest.raises(FormatError, match="safetensors"):
        write_weights(tmp_path / name, ARRAYS, {})


@pytest.mark.parametrize("array", [np.array([None]), np.array(["a"]), np.array([1j])])
def test_other_arrays_are_refused(tmp_path, array):
    with pytest.raises(FormatError, match="dtype"):
        write_weights(tmp_path / "m.safetensors", {"a": array}, {})


def test_damage(tmp_path):
    path = tmp_path / "m.safetensors"
    with pytest.raises(FormatError, match="does not exist"):
        read_weights(path)
    write_weights(path, ARRAYS, {"x": 1})
    card = card_path(path).read_text()
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(FormatError, match="does not belong"):
        read_weights(path)
    card_path(path).write_text(card.replace(card.split('"weights_sha256": "')[1][:64], file_checksum(path)))
    with pytest.raises(FormatError, match="not whole"):
        read_weights(path)


def test_torch_is_not_imported(tmp_path):
    code = (
        "import sys, numpy\n"
        "from spikeline.artifacts import read_weights, write_weights\n"
        f"write_weights({str(tmp_path / 'm.safetensors')!r}, {{'a': numpy.ones(2)}}, {{}})\n"
        f"read_weights({str(tmp_path / 'm.safetensors')!r})\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
