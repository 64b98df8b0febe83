"""Atomic files and folders: temporaries, leftovers, checks."""

import os

import pytest

from spikeline.artifacts import atomic_file, atomic_folder, manifest_path, write_manifest
from spikeline.errors import FormatError

DEAD = 2**22 + 1  # above the largest process number of Linux


def test_leftovers_of_dead_writers_go_and_of_living_ones_stay(tmp_path):
    path = tmp_path / "a[1].txt"  # brackets mean something to a glob
    dead, living = tmp_path / f".a[1].txt.tmp-{DEAD}", tmp_path / f".a[1].txt.tmp-{os.getppid()}"
    dead.write_text("x")
    living.write_text("x")
    (tmp_path / f".a[1].txt.tmp-old-{DEAD}").mkdir()
    with atomic_file(path) as temporary:
        temporary.write_text("whole")
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([living.name, path.name])


@pytest.mark.parametrize("atomic", [atomic_file, atomic_folder])
def test_failed_check_keeps_the_old_one(tmp_path, atomic):
    path = tmp_path / "a"

    def fill(temporary, text):
        (temporary / "inner.txt" if temporary.is_dir() else temporary).write_text(text)

    def refuse(temporary):
        raise FormatError("bad", "good", "again")

    with atomic(path) as temporary:
        fill(temporary, "old")
    with pytest.raises(FormatError), atomic(path, refuse) as temporary:
        fill(temporary, "new")
    assert (path / "inner.txt" if path.is_dir() else path).read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_folder_is_replaced_whole(tmp_path):
    path = tmp_path / "a"
    for names in (["one", "two"], ["three"]):
        with atomic_folder(path) as temporary:
            for name in names:
                (temporary / name).write_text(name)
    assert [p.name for p in path.iterdir()] == ["three"]
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_file_and_folder_replace_each_other(tmp_path):
    path = tmp_path / "a"
    with atomic_folder(path) as temporary:
        (temporary / "b").write_text("b")
    with atomic_file(path) as temporary:
        temporary.write_text("file")
    assert path.read_text() == "file"
    with atomic_folder(path) as temporary:
        (temporary / "b").write_text("b")
    assert (path / "b").read_text() == "b"
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_rewriting_removes_the_old_manifest(tmp_path):
    path = tmp_path / "a"
    with atomic_file(path) as temporary:
        temporary.write_text("old")
    write_manifest(path, schema="text")
    with atomic_file(path) as temporary:
        temporary.write_text("new")
    assert not manifest_path(path).exists()
