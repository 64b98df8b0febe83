"""The table of external data sets (``config/datasets.yaml``): what each is, where it is from, and its checksum."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError

from spikeline.config.base import FiniteFloat, Settings, setting
from spikeline.config.yaml_text import read_yaml
from spikeline.data.layouts import READERS
from spikeline.errors import ConfigError

__all__ = ["DatasetEntry", "read_dataset_table"]

_SCORED_UNITS = "scored_units.yaml"


def _stays_below(path: str) -> str:
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or "\\" in path or re.match(r"^[A-Za-z]:|^~", path):
        raise ValueError(f"{path!r} is not a path below data_root: write it relative to data_root, without '..'")
    return path


class DatasetEntry(Settings):
    """One external data set: a file or a folder, as its layout has it (`spikeline.data.layouts`)."""

    title: str = setting(description="What it is, in a sentence.", min_length=1)
    path: Annotated[str, AfterValidator(_stays_below)] = setting(
        description="Where the file or folder lies below data_root.", min_length=1
    )
    reader: Literal[READERS] = setting(description="Layout of the file or folder.")  # type: ignore[valid-type]
    source: str = setting(description="Where to get it: repository, archive or page.", min_length=1)
    version: str = setting(description="Which edition of the source; the checksum pins the bytes.", min_length=1)
    sha256: str = setting(
        description="SHA-256 of the file; of a folder, what `spikeline.artifacts.file_checksum` gives.",
        pattern=r"^[0-9a-f]{64}$",
    )
    licence: str = setting(description="Licence as the source states it, or that it states none.", min_length=1)
    sampling_rate_hz: FiniteFloat | None = setting(
        None, unit="Hz", description="Sampling rate of traces or snippets.", gt=0, le=1e6
    )
    channels: int | None = setting(None, description="Number of channels of traces.", ge=1)
    unit: Literal["uV", "adc", "arbitrary"] | None = setting(
        None, description="Unit of the stored samples: adc means steps of the converter with an unknown gain."
    )
    contact_distance_um: FiniteFloat | None = setting(
        None,
        unit="um",
        description="Distance of neighbouring contacts where the files give none; say in note where it comes from.",
        gt=0,
        le=1000,
    )
    invert: bool = setting(
        False,
        description="Whether samples are multiplied by -1 when they are read: for spikes that point up, because "
        "sorters look for troughs.",
    )
    peak_offset_samples: int = setting(
        0,
        unit="samples",
        description="From a true spike time as the file has it to the extremum of its waveform; true spikes are moved "
        "by it when they are read. Of snippets: from their first sample to the peak.",
        ge=-10_000,
        le=10_000,
    )
    scored_units: Annotated[list[int | str], Field(min_length=1)] | None = setting(
        None,
        description="True units that are scored, all unless stated; or a name in scored_units.yaml beside the table.",
    )
    truth_complete: bool = setting(
        False,
        description="Whether every spike in the traces is among the true ones, as in a full simulation. If not "
        "(paired, hybrid), a found unit that fits no true one is not counted as a false positive.",
    )
    extracellular_channels: Annotated[list[int], Field(min_length=1)] | None = setting(
        None, description="hc1: which channels of the file, counted from 0, are the probe's."
    )
    intracellular_channel: int | None = setting(
        None, description="hc1: which channel, counted from 0, is the intracellular electrode's.", ge=0
    )
    fields: dict[str, str] = setting(
        {},
        description="area2_bump_nwb, pmd1_mat: what something is called in the file, where it is not what the reader "
        "expects, e.g. {direction: target_dir}. The reader's own error lists what it looks for and what the file has.",
    )
    bin_ms: FiniteFloat | None = setting(
        None,
        unit="ms",
        description="pmd1_mat: width of the bins of counts, for a file without time stamps.",
        gt=0,
        le=10_000,
    )
    labels: str = setting(
        "none", description="What is known about it: spike times, classes, behaviour; none if nothing."
    )
    note: str = setting("", description="What a user must know.")

    def recording_keys(self) -> dict[str, Any]:
        """What the recording depends on, as plain values: a job that reads it is not rerun for an edited title."""
        return self.model_dump(mode="json", include=_RECORDING_KEYS)

    def session_keys(self) -> dict[str, Any]:
        """What a session depends on."""
        return self.model_dump(mode="json", include=_SESSION_KEYS)

    def truth_keys(self) -> dict[str, Any]:
        """What the recording and its true spikes depend on."""
        return self.model_dump(mode="json", include=_RECORDING_KEYS | _TRUTH_KEYS)


# the checksum stands for the path: the same bytes at another place change nothing
_RECORDING_KEYS = {
    "reader", "sha256", "sampling_rate_hz", "channels", "unit", "invert", "contact_distance_um",
    "extracellular_channels",
}  # fmt: skip
_SESSION_KEYS = {"reader", "sha256", "fields", "bin_ms"}
_TRUTH_KEYS = {"peak_offset_samples", "scored_units", "truth_complete", "intracellular_channel"}


def read_dataset_table(path: str | Path) -> dict[str, DatasetEntry]:
    """Read and check the table.

    Parameters
    ----------
    path
        A YAML file: one block per data set, named by what other settings call it. Where an entry's ``scored_units`` is
        a name, the list is looked up in ``scored_units.yaml`` in the same folder.

    Raises
    ------
    ConfigError
        If the file is missing or not YAML, or an entry has an unknown or missing key, a bad checksum, a path out of
        data_root, or a list of scored units that is not there.
    """
    values, positions = read_yaml(path)
    table, problems = {}, []
    for name, entry in values.items():
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
            problems.append(f"{name!r}: a name becomes part of a path, use letters, digits, '_' and '-'")
        if isinstance(entry, dict) and isinstance(entry.get("scored_units"), str):
            entry = entry | {"scored_units": _scored_units(entry["scored_units"], Path(path).parent / _SCORED_UNITS)}
        try:
            table[name] = DatasetEntry.parse(entry)
        except ValidationError as error:
            problems += [_problem(name, problem, positions) for problem in error.errors(include_url=False)]
    if problems:
        raise ConfigError(
            f"{path}: {len(problems)} entries cannot be used\n" + "\n".join(f"  - {problem}" for problem in problems),
            "the keys " + ", ".join(DatasetEntry.model_fields),
            "correct the lines named above",
        )
    return table


def _scored_units(name: str, path: Path) -> list[int | str]:
    lists, _ = read_yaml(path)
    if name not in lists:
        near = difflib.get_close_matches(name, lists, 1, 0.4)
        raise ConfigError(
            f"scored_units: {name} names no list of {path}",
            "one of " + ", ".join(lists),
            f"did you mean {near[0]}?" if near else f"add it to {path}, or write the list itself",
        )
    return lists[name]


def _problem(name: str, problem: dict, positions: Mapping[tuple[str | int, ...], str]) -> str:
    location = tuple(problem["loc"])
    key = ".".join(map(str, (name, *location)))
    where = positions.get((name, *location), positions.get((name,), ""))
    if problem["type"] == "extra_forbidden":
        near = difflib.get_close_matches(str(location[-1]), DatasetEntry.model_fields, 1, 0.5)
        message = "there is no such key" + (f"; the nearest is {near[0]}" if near else "")
    else:
        message = problem["msg"].removeprefix("Value error, ")
    return f"{key} ({where}): {message}"
