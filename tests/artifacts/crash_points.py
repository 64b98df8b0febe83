"""Kill a writer with SIGKILL at every step it takes on the disk. Run as a script: ``crash_points.py KIND FOLDER``.

Every step is a call of fsync, replace, unlink or mkdir (killed before and after it) or a checkpoint in the middle of
the data. After each kill the folder is inspected and the same write is repeated without a kill.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from spikeline.artifacts import (
    atomic_file,
    atomic_folder,
    create_hdf5,
    file_checksum,
    manifest_path,
    write_csv,
    write_json,
    write_manifest,
    write_weights,
)

STEPS = ("fsync", "replace", "unlink", "mkdir")


def checkpoint() -> None:
    """A point in the middle of the data; replaced where kills are counted."""


def write(kind: str, folder: Path, generation: int) -> Path:
    """Write the artefact of one kind; ``generation`` changes its content."""
    values = np.arange(5000, dtype=np.float64) + generation
    path = folder / f"artefact.{kind}"
    if kind == "txt":
        with atomic_file(path) as temporary, temporary.open("w") as stream:
            stream.write("first half ")
            stream.flush()
            checkpoint()
            stream.write(f"second half {generation}")
        write_manifest(path, schema="text")
    elif kind == "folder":
        with atomic_folder(path) as temporary:
            (temporary / "inner").mkdir()
            (temporary / "inner" / "a.txt").write_text(f"a {generation}")
            checkpoint()
            (temporary / "b.txt").write_text(f"b {generation}")
        write_manifest(path, schema="folder")
    elif kind == "h5":
        with create_hdf5(path, "values") as file:
            data = file.create_dataset("values", shape=(2, 5000), dtype=np.float64)
            data[0] = values
            file.flush()
            checkpoint()
            data[1] = values
    elif kind == "json":
        write_json(path, {"values": values[:10], "generation": generation})
    elif kind == "csv":
        write_csv(path, pd.DataFrame({"value": values, "name": [f"n{generation}"] * len(values)}))
    elif kind == "safetensors":
        write_weights(path, {"values": values}, {"generation": generation})
    return path


def snapshot(folder: Path) -> dict[str, str]:
    """Relative path -> checksum of every file, hidden ones too."""
    return {p.relative_to(folder).as_posix(): file_checksum(p) for p in sorted(folder.rglob("*")) if p.is_file()}


def _count(action: Callable[[int], None]) -> None:
    state = {"step": 0}

    def reached() -> None:
        action(state["step"])
        state["step"] += 1

    def wrapped(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            reached()
            result = function(*arguments, **options)
            reached()
            return result

        return call

    for name in STEPS:
        setattr(os, name, wrapped(getattr(os, name)))
    globals()["checkpoint"] = reached


def _in_child(work: Callable[[], None]) -> int:
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1]


def _steps_of(kind: str, folder: Path, generation: int) -> int:
    reader, writer = os.pipe()

    def work() -> None:
        _count(lambda step: os.write(writer, b"."))
        write(kind, folder, generation)

    assert _in_child(work) == 0
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        return len(stream.read())


def _killed_at(kind: str, folder: Path, generation: int, last: int) -> None:
    def work() -> None:
        _count(lambda step: os.kill(os.getpid(), signal.SIGKILL) if step == last else None)
        write(kind, folder, generation)

    assert os.WTERMSIG(_in_child(work)) == signal.SIGKILL


def _run(kind: str, base: Path) -> dict[str, Any]:
    """Kill at every step, over nothing and over an older artefact; what was seen, for the test to judge."""
    fresh = base / "fresh"
    fresh.mkdir()
    written = write(kind, fresh, 2)
    whole, new = snapshot(fresh), file_checksum(written)
    old_folder = base / "old"
    old_folder.mkdir()
    old = file_checksum(write(kind, old_folder, 1))
    kills = []
    for over_old in (False, True):
        counted = base / f"counted-{over_old}"
        counted.mkdir()
        if over_old:
            write(kind, counted, 1)
        for step in range(_steps_of(kind, counted, 2)):
            folder = base / f"killed-{over_old}-{step}"
            folder.mkdir()
            if over_old:
                write(kind, folder, 1)
            _killed_at(kind, folder, 2, step)
            path = folder / written.name
            manifest = manifest_path(path)
            seen = file_checksum(path) if path.exists() else None
            state = {None: "none", old: "old", new: "new"}.get(seen, "partial")
            described = json.loads(manifest.read_text())["sha256"] if manifest.exists() else None
            write(kind, folder, 2)
            kills.append(
                {
                    "over_old": over_old,
                    "step": step,
                    "state": state,
                    "manifest_matches": described is None or described == seen,
                    "rerun_identical": snapshot(folder) == whole,
                }
            )
    return {"kills": kills}


if __name__ == "__main__":
    print(json.dumps(_run(sys.argv[1], Path(sys.argv[2]))))
