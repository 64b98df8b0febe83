"""Manifests: what they say, and that they name no machine."""

import json

import numpy as np
import pytest

from spikeline.artifacts import (
    Provenance,
    config_hash,
    file_checksum,
    manifest_path,
    read_manifest,
    write_json,
    write_manifest,
)
from spikeline.config import RecordingSettings
from spikeline.errors import FormatError


def test_config_hash_is_of_content():
    assert config_hash({"a": 1, "b": [1, 2]}) == config_hash({"b": [1, 2], "a": np.int64(1)}) == "8baa73198470c7bb"
    assert config_hash({"a": 1}) != config_hash({"a": 1.5})
    assert config_hash({"r": RecordingSettings()}) == config_hash({"r": RecordingSettings().plain()})


def test_config_hash_refuses_objects():
    with pytest.raises(FormatError, match="object"):
        config_hash({"a": object()})


def test_folder_checksum_sees_names_and_contents_and_not_snakemakes_mark(tmp_path):
    (tmp_path / "a").write_text("1")
    (tmp_path / "b").write_text("2")
    before = file_checksum(tmp_path)
    (tmp_path / ".snakemake_timestamp").write_text("now")
    assert file_checksum(tmp_path) == before
    (tmp_path / "a").write_text("12")
    (tmp_path / "b").write_text("")
    assert file_checksum(tmp_path) != before
    (tmp_path / "a").write_text("1")
    (tmp_path / "b").write_text("2")
    (tmp_path / "b").rename(tmp_path / "c")
    assert file_checksum(tmp_path) != before


def test_inputs_are_named_without_the_machine(tmp_path):
    root = tmp_path / "results" / "quick"
    sources = [
        root / "bank" / "a.h5",
        tmp_path / "one" / "x" / "cell.hoc",
        tmp_path / "two" / "x" / "cell.hoc",
        tmp_path / "cells",
    ]
    for source in sources[:3]:
        source.parent.mkdir(parents=True)
        source.write_text(str(source.relative_to(tmp_path)))
    sources[3].write_text("c")
    described = Provenance(settings={"a": 1}, seed=3, inputs=iter(sources), root=root).describe()
    assert sorted(described["inputs"]) == ["bank/a.h5", "cells", "one/x/cell.hoc", "two/x/cell.hoc"]
    assert described["inputs"]["bank/a.h5"] == file_checksum(sources[0])
    assert str(tmp_path) not in json.dumps(described)
    assert described["seed"] == 3


def test_manifest_round_trip_and_damage(tmp_path):
    path = tmp_path / "a.json"
    write_json(path, {"a": 1}, schema="numbers", provenance=Provenance(settings={"a": 1}, seed=1))
    manifest = read_manifest(path)
    assert (manifest["schema"], manifest["seed"], manifest["bytes"]) == ("numbers", 1, path.stat().st_size)
    assert manifest["sha256"] == file_checksum(path)
    for content, word in [("{", "not JSON"), ("[]", "holds a list"), ("{}", "lacks")]:
        manifest_path(path).write_text(content)
        with pytest.raises(FormatError, match=word):
            read_manifest(path)
    manifest_path(path).unlink()
    with pytest.raises(FormatError, match="no manifest"):
        read_manifest(path)


def test_manifest_takes_numpy_and_refuses_nan(tmp_path):
    path = tmp_path / "a"
    path.write_text("x")
    write_manifest(path, schema="text", content={"rank": np.int64(3), "error": np.float32(0.5)})
    assert read_manifest(path)["content"] == {"rank": 3, "error": 0.5}
    with pytest.raises(FormatError, match="manifest of"):
        write_manifest(path, schema="text", content={"error": float("nan")})
