"""`verify_tree`: each kind of damage gives its finding, and a sound tree gives none."""

import json
import os
import zipfile

import h5py
import numpy as np
import pandas as pd
import pytest

from spikeline.artifacts import (
    Provenance,
    atomic_folder,
    create_hdf5,
    manifest_path,
    verify_tree,
    write_csv,
    write_hdf5,
    write_json,
    write_manifest,
    write_weights,
)
from spikeline.errors import DataError


@pytest.fixture
def tree(tmp_path):
    """A small run of everything a run consists of."""
    run = tmp_path / "results" / "quick"
    bank = run / "simulation" / "currents" / "cell" / "v000-0.h5"
    write_hdf5(bank, "values", {"a": np.arange(3.0)})
    write_csv(run / "scores.csv", pd.DataFrame({"accuracy": [0.5]}), provenance=Provenance(inputs=[bank], root=run))
    write_json(run / "summary.json", {"a": 1}, provenance=Provenance(inputs=[run / "scores.csv"], root=run))
    write_weights(run / "model.safetensors", {"w": np.ones(3)}, {"hidden": 3})
    with atomic_folder(run / "recordings" / "tetrode") as folder:
        np.save(folder / "traces.npy", np.ones(3))
        (folder / "probe.json").write_text("{}")
        with h5py.File(folder / "inner.h5", "w") as file:
            file["a"] = 1
    write_manifest(run / "recordings" / "tetrode", schema="recording")
    for name in ("logs/a.log", "benchmarks/b.tsv", "report.html"):
        (run / name).parent.mkdir(parents=True, exist_ok=True)
        (run / name).write_text("x")
    (run / "recordings" / "tetrode" / ".snakemake_timestamp").write_text("now")
    return run


def _findings(tree):
    return {(finding.kind, finding.path) for finding in verify_tree(tree).findings}


def test_a_sound_tree(tree):
    report = verify_tree(tree)
    assert report.findings == []
    assert report.ok
    assert report.artifacts == 6
    assert report.bytes > 0
    assert verify_tree(tree.parent).findings == []  # several runs at once


def test_no_folder(tmp_path):
    with pytest.raises(DataError, match="not a folder"):
        verify_tree(tmp_path / "nothing")


def test_changed_content_and_size(tree):
    path = tree / "simulation/currents/cell/v000-0.h5"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    (tree / "summary.json").write_text("{}")
    assert _findings(tree) == {
        ("damaged", "simulation/currents/cell/v000-0.h5"),
        ("stale", "scores.csv"),
        ("damaged", "summary.json"),
    }


def test_rebuilt_input_makes_what_follows_stale(tree):
    write_hdf5(tree / "simulation/currents/cell/v000-0.h5", "values", {"a": np.arange(4.0)})
    assert _findings(tree) == {("stale", "scores.csv")}
    assert {(f.kind, f.path) for f in verify_tree(tree.parent).findings} == {("stale", "quick/scores.csv")}


def test_truncated_hdf5(tree):
    path = tree / "simulation/currents/cell/v000-0.h5"
    path.write_bytes(path.read_bytes()[:-100])
    assert ("damaged", "simulation/currents/cell/v000-0.h5") in _findings(tree)


def test_changed_file_in_a_folder_artefact(tree):
    (tree / "recordings/tetrode/extra.txt").write_text("x")
    assert _findings(tree) == {("damaged", "recordings/tetrode")}


def test_unfinished_orphan_and_leftover(tree):
    manifest_path(tree / "summary.json").unlink()
    (tree / "scores.csv").unlink()
    (tree / ".scores.csv.tmp-123").write_text("half")
    (tree / ".folder.tmp-123").mkdir()
    (tree / ".folder.tmp-123" / "half.pkl").write_text("half")
    report = verify_tree(tree)
    assert {(finding.kind, finding.path, finding.harmless) for finding in report.findings} == {
        ("unfinished", "summary.json", False),
        ("orphan", "scores.csv.manifest.json", False),
        ("leftover", ".scores.csv.tmp-123", True),
        ("leftover", ".folder.tmp-123", True),
    }
    assert not report.ok


def test_leftovers_alone_are_harmless(tree):
    (tree / ".scores.csv.tmp-123").write_text("half")
    work = tree / "simulation" / "currents" / "cell" / ".v000-1.h5.work-0123"
    write_hdf5(work / "slice-000000.h5", "current-slice", {"a": np.ones(2)})
    report = verify_tree(tree)
    assert report.ok
    assert report.artifacts == 6
    assert [finding.message.split(";")[0] for finding in report.findings] == [
        "left by a writer that was killed",
        "finished parts of a job that was stopped",
    ]


def test_unreadable_manifest(tree):
    manifest_path(tree / "scores.csv").write_text("{")
    assert ("manifest", "scores.csv.manifest.json") in _findings(tree)


def test_manifest_that_lies_about_the_content(tree):
    path = tree / "simulation/currents/cell/v000-0.h5"
    manifest = json.loads(manifest_path(path).read_text())
    manifest["content"]["arrays"]["a"]["shape"] = [4]
    manifest_path(path).write_text(json.dumps(manifest))
    manifest = json.loads(manifest_path(tree / "summary.json").read_text())
    assert _findings(tree) == {("damaged", "simulation/currents/cell/v000-0.h5")}


def test_json_with_nan(tree):
    (tree / "nan.json").write_text('{"a": NaN}')
    write_manifest(tree / "nan.json", schema="json")
    assert _findings(tree) == {("damaged", "nan.json")}


def _npy_of_objects(path):
    np.save(path, np.array([{}, None]), allow_pickle=True)


def _npz_of_objects(path):
    np.savez(path, plain=np.ones(2), objects=np.array([{}, None]))


def _torch_zip(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02.")


def _zarr_of_pickles(path):
    path.write_text(json.dumps({"dtype": "|O", "filters": [{"id": "pickle", "protocol": 4}]}))


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("a.pkl", lambda path: path.write_bytes(b"")),
        ("a.pickle", lambda path: path.write_bytes(b"x")),
        ("a.joblib", lambda path: path.write_bytes(b"x")),
        ("a.PT", lambda path: path.write_bytes(b"x")),
        ("disguised.dat", lambda path: path.write_bytes(b"\x80\x04N.")),
        ("a.npy", _npy_of_objects),
        ("a.npz", _npz_of_objects),
        ("disguised.bin", _torch_zip),
        (".zarray", _zarr_of_pickles),
        ("broken.npz", lambda path: path.write_bytes(b"PK\x03\x04broken")),
        ("broken.npy", lambda path: path.write_bytes(b"\x93NUMPYbroken")),
    ],
)
def test_pickles(tree, name, make):
    path = tree / "logs" / name  # not even where nothing is checked otherwise
    make(path)
    assert _findings(tree) == {("pickle", f"logs/{name}")}


def test_innocent_binary_files(tree):
    np.save(tree / "logs" / "a.npy", np.ones(3))
    np.savez(tree / "logs" / "a.npz", a=np.ones(3), b=np.array(["x"]))
    (tree / "logs" / "traces.raw").write_bytes(b"\x80\x04\x00\x00")
    assert _findings(tree) == set()


def test_symbolic_links(tree, tmp_path):
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "a.pkl").write_text("x")
    (tree / "out").symlink_to(secret)
    (tree / "logs" / "relative").symlink_to("../../../secret/a.pkl")
    (tree / "logs" / "nowhere").symlink_to("missing")
    (tree / "logs" / "inside").symlink_to(os.path.join("..", "summary.json"))
    assert _findings(tree) == {("escape", "out"), ("escape", "logs/relative"), ("damaged", "logs/nowhere")}


def test_hdf5_links_out_of_the_file(tree, tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["secret"] = 1
    with create_hdf5(tree / "linked.h5", "values") as file:
        file["a"] = 1
    with h5py.File(tree / "recordings/tetrode/inner.h5", "a") as file:
        file["link"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/secret")
    assert _findings(tree) == {("escape", "recordings/tetrode/inner.h5"), ("damaged", "recordings/tetrode")}


def test_input_names_cannot_point_out_of_the_tree(tree, tmp_path):
    (tmp_path / "outside").write_text("x")
    path = manifest_path(tree / "summary.json")
    manifest = json.loads(path.read_text())
    manifest["inputs"] = {"../../outside": "0", "/etc/hostname": "0", "gone.h5": "0"}
    path.write_text(json.dumps(manifest))
    assert _findings(tree) == set()


def test_plain_form(tree):
    (tree / "a.pkl").write_text("x")
    plain = json.loads(json.dumps(verify_tree(tree).plain()))
    assert plain["ok"] is False
    assert {finding["kind"] for finding in plain["findings"]} == {"pickle", "unfinished"}
    assert str(tree) not in json.dumps(plain)
