"""The resolved configuration as an artefact of a run."""

import json

from spikeline.artifacts import read_manifest
from spikeline.config import load_run
from spikeline.config.resolved import resolved_document, write_resolved

VALUES = {"run": "test", "simulation": {"cells": {"train": ["a"], "test": ["b"]}}}


def _settings(**changes):
    return load_run([], VALUES | changes)


def test_reads_back_as_the_same_settings(tmp_path):
    settings = _settings(recordings={"x": {"units": 3}})
    write_resolved(tmp_path / "config.json", settings)
    assert load_run(tmp_path / "config.json") == settings
    manifest = read_manifest(tmp_path / "config.json")
    assert (manifest["schema"], manifest["seed"]) == ("resolved-config", 42)


def test_every_key_is_there(tmp_path):
    document = resolved_document(_settings())
    assert document["simulation"]["bank"]["duration_s"] == 60.0
    assert document["sorting"]["sorters"]["simple"] == {
        "sorter": "simple",
        "parameters": {},
        "environment": "spikeline",
    }


def test_no_machine_paths(tmp_path):
    settings = _settings(
        data_root=str(tmp_path / "recordings"),
        recordings={
            "x": {"probe": {"kind": "file", "file": str(tmp_path / "probe.json")}},
            "y": {"probe": {"kind": "file", "file": "probes/a.json"}},
        },
    )
    document = resolved_document(settings)
    assert str(tmp_path) not in json.dumps(document)
    assert document["data_root"] == "recordings"
    assert document["recordings"]["x"]["probe"]["file"] == "probe.json"
    assert document["recordings"]["y"]["probe"]["file"] == "probes/a.json"
    assert resolved_document(_settings(data_root="~/data"))["data_root"] == "data"
