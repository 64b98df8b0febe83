"""One training per folder at a time."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path

from spikeline.errors import DataError

__all__ = ["folder_lock"]


@contextlib.contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Hold a folder; the system lets go of it when the process ends, however it ends.

    Raises
    ------
    DataError
        If another process holds it, e.g. a job that its scheduler has started again before the first one was gone.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DataError(
                f"another process is training in {folder}",
                "one training per folder at a time",
                "wait for it or stop it, then start again",
            ) from None
        except OSError:  # a file system without locks; two trainings at once are then nobody's to see
            pass
        yield
