"""The bank entries of one recording, in no more memory than it needs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from spikeline.config.recordings import RecordingSettings
from spikeline.simulation.bank import BankEntry, read_bank_entry

__all__ = ["RecordingEntries", "read_entries"]


class RecordingEntries(NamedTuple):
    """What `make_recording` takes: entries of the units, and of the background."""

    units: list[BankEntry]
    background: list[BankEntry]


def read_entries(
    units: Sequence[str | Path], background: Sequence[str | Path], settings: RecordingSettings
) -> RecordingEntries:
    """Read the entries a recording is made of, each file once.

    Of an entry that plays continuously all is read, because its window is drawn from the whole; of others the first
    ``settings.bank_s`` seconds.

    Raises
    ------
    FormatError
        If a file is no whole bank entry.
    """
    whole = set(map(str, units)) if settings.drive == "continuous" else set()
    paths = dict.fromkeys(map(str, [*units, *background]))
    read = {path: read_bank_entry(path, None if path in whole else settings.bank_s) for path in paths}
    return RecordingEntries([read[str(path)] for path in units], [read[str(path)] for path in background])
