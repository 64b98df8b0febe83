"""Which sorters can run and what they can be told: SpikeInterface's, read from its source, and SimSort.

Importing SpikeInterface takes seconds, reading its source does not. With this a misspelt name is refused when a
workflow is planned, not when its sorting job starts hours later.
"""

from __future__ import annotations

import ast
import difflib
import functools
import importlib.util
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from spikeline.config.sorting import SorterSettings
from spikeline.errors import ConfigError
from spikeline.sorting.simsort.sorter_parameters import SORTER_NAME, default_parameters, settings_of

__all__ = ["PEERS", "RESERVED", "check_sorters", "known_sorters", "refuse_unknown_parameters", "refuse_unknown_sorter"]

RESERVED = ("job_kwargs", "seed")
"""Parameters that the run sets."""

PEERS = {"kilosort4": ["kilosort"], "mountainsort5": ["mountainsort5", "isosplit6"]}
"""Sorters of the peers' environment (``envs/sorting_peers.txt``), each with its packages."""

_NAME = re.compile(r"^    sorter_name(?:: str)? = \"(\w+)\"", re.MULTILINE)


@functools.cache
def known_sorters() -> dict[str, frozenset[str] | None]:
    """Names of the sorters, each with its parameters; None where SpikeInterface's source does not list them all.

    It does so for SpikeInterface's own sorters. Wrappers of other programs add to their list when they run. Empty where
    SpikeInterface is not installed: every sorter needs it, SimSort too.
    """
    spec = importlib.util.find_spec("spikeinterface")
    folders = [] if spec is None else [Path(folder) / "sorters" for folder in spec.submodule_search_locations or []]
    known: dict[str, frozenset[str] | None] = {
        name: _listed_parameters(text) if kind == "internal" else None
        for folder in folders
        for kind in ("internal", "external")
        for file in sorted((folder / kind).glob("*.py"))
        for text in [file.read_text(encoding="utf-8")]
        for name in _NAME.findall(text)
    }
    return {**known, SORTER_NAME: frozenset(default_parameters())} if known else {}


def _listed_parameters(text: str) -> frozenset[str] | None:
    """Keys of the class's ``_default_params`` where it is one plain dictionary."""
    for statement in (s for node in ast.parse(text).body if isinstance(node, ast.ClassDef) for s in node.body):
        named = isinstance(statement, ast.Assign) and getattr(statement.targets[0], "id", "") == "_default_params"
        if named and isinstance(statement.value, ast.Dict):
            keys = [key.value if isinstance(key, ast.Constant) else None for key in statement.value.keys]
            return None if None in keys or not keys else frozenset(map(str, keys))
    return None


def check_sorters(sorters: Mapping[str, SorterSettings]) -> None:
    """Refuse settings that name a sorter or parameter that does not exist, as far as the source tells.

    Of SimSort the values are looked at too.

    Parameters
    ----------
    sorters
        ``sorting.sorters`` of a run.

    Raises
    ------
    ConfigError
        If a sorter or a parameter is unknown or reserved, a sorter is not in the environment it is to run in, or a
        setting of SimSort is out of its bounds.
    """
    known = known_sorters()
    if not known:
        return  # SpikeInterface is not installed here: the sorting job will say so
    for settings in sorters.values():
        refuse_unknown_sorter(settings.sorter, known)
        parameters = known[settings.sorter]
        refuse_unknown_parameters(settings.sorter, settings.parameters, parameters)
        if settings.environment == "peers" and settings.sorter not in PEERS:
            raise ConfigError(
                f"sorter {settings.sorter!r} with environment: peers",
                "there one of " + ", ".join(PEERS),
                "leave environment out: this sorter is installed with spikeline, or to be installed beside it",
            )
        if settings.sorter == SORTER_NAME:
            settings_of(settings.parameters)


def refuse_unknown_sorter(name: str, known: Collection[str]) -> None:
    """Raise `ConfigError`, with the nearest names, unless ``name`` is known."""
    if name not in known:
        near = " or ".join(difflib.get_close_matches(name, known, 2, 0.6))
        raise ConfigError(
            f"sorter {name!r} is neither simsort nor one of SpikeInterface's",
            "one of " + ", ".join(known),
            f"did you mean {near}?" if near else "check the name under sorting.sorters",
        )


def refuse_unknown_parameters(name: str, given: Mapping[str, Any], known: Collection[str] | None) -> None:
    """Raise `ConfigError`, with the nearest key, if a parameter is reserved or, where they are known, unknown."""
    for key in given:
        if key in RESERVED:
            raise ConfigError(
                f"parameter {key!r} of sorter {name!r}",
                "parameters of the sorting itself",
                "leave it out: threads and the seed are the run's",
            )
        if known is not None and key not in known:
            near = difflib.get_close_matches(key, known, 1, 0.5)
            raise ConfigError(
                f"sorter {name!r} has no parameter {key!r}",
                "one of " + ", ".join(k for k in sorted(known) if k not in RESERVED),
                f"did you mean {near[0]!r}?" if near else "take it out of sorting.sorters",
            )
