"""Write a file or a folder completely, or not at all.

Everything is written beside its final place, flushed to the disk, checked, and only then renamed. A process killed at
any moment leaves the old artefact, the new one or none, never a part of one, and at most a stray ``.NAME.tmp-*`` that
the next write removes. The old manifest goes just before the rename, so a manifest always describes the artefact beside
it: an artefact without one was never finished.
"""

from __future__ import annotations

import contextlib
import errno
import glob
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from spikeline.errors import DataError

__all__ = ["MANIFEST_SUFFIX", "atomic_file", "atomic_folder", "is_leftover", "remove_leftovers"]

MANIFEST_SUFFIX = ".manifest.json"
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def _temporary_beside(path: Path) -> Path:
    return path.with_name(f".{path.name}.tmp-{os.getpid()}")


def is_leftover(path: Path) -> bool:
    """Whether a name is that of a temporary, which only a killed writer leaves lying."""
    return path.name.startswith(".") and ".tmp-" in path.name


def _is_alive(process: str) -> bool:
    if not process.isdigit() or int(process) == os.getpid():
        return False
    try:
        os.kill(int(process), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def remove_leftovers(path: Path) -> None:
    """Remove the temporaries that killed writers of ``path`` left behind."""
    for leftover in path.parent.glob(f".{glob.escape(path.name)}.tmp-*"):
        if not _is_alive(leftover.name.rpartition("-")[2]):  # else another living process is writing the same artefact
            _discard(leftover)


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _discard(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def _disk_errors_named(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, RuntimeError) as error:  # h5py reports a failed flush at closing time as RuntimeError
        numbers = (f"errno = {number}," for number in _FULL)  # how the HDF5 library words it
        full = getattr(error, "errno", None) in _FULL or any(number in str(error) for number in numbers)
        if not full:
            raise
        free_mb = shutil.disk_usage(path.parent).free / 1e6
        raise DataError(
            f"the disk is full: {path} could not be written ({free_mb:.0f} MB free in {path.parent})",
            "room (on the disk, in the quota and under the file-size limit) for the artefact and its temporary copy",
            "free some space or point the results elsewhere, then run the same command again: "
            "finished artefacts are kept and only this one is rebuilt",
        ) from error


def _commit(temporary: Path, path: Path) -> None:
    path.with_name(path.name + MANIFEST_SUFFIX).unlink(missing_ok=True)
    if os.path.lexists(path) and (path.is_dir() or temporary.is_dir()):
        # A folder cannot be replaced in one step. Moved aside first, the old one is never seen half deleted.
        aside = path.with_name(f".{path.name}.tmp-old-{os.getpid()}")
        _discard(aside)
        os.replace(path, aside)
        os.replace(temporary, path)
        _discard(aside)
    else:
        os.replace(temporary, path)
    _fsync(path.parent)


@contextlib.contextmanager
def atomic_file(path: str | Path, check: Callable[[Path], None] | None = None) -> Iterator[Path]:
    """Yield a temporary path beside ``path``; on success fsync, ``check``, rename it to ``path``.

    Parameters
    ----------
    path
        The final place; its folder is made if it is missing.
    check
        Called with the closed temporary before the rename; raises if the file is not what it should be.

    Raises
    ------
    DataError
        If the disk is full.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(path)
    temporary = _temporary_beside(path)
    try:
        with _disk_errors_named(path):
            yield temporary
            _fsync(temporary)
            if check is not None:
                check(temporary)
            _commit(temporary, path)
    finally:
        _discard(temporary)


@contextlib.contextmanager
def atomic_folder(path: str | Path, check: Callable[[Path], None] | None = None) -> Iterator[Path]:
    """Like `atomic_file`, for an artefact that is a folder; yields an existing empty temporary folder."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(path)
    temporary = _temporary_beside(path)
    try:
        with _disk_errors_named(path):
            temporary.mkdir()
            yield temporary
            for inner in sorted(temporary.rglob("*")):
                _fsync(inner)
            _fsync(temporary)
            if check is not None:
                check(temporary)
            _commit(temporary, path)
    finally:
        _discard(temporary)
