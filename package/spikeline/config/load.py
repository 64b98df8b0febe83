"""YAML files into checked settings, with every problem named at once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from spikeline.config.merging import merged
from spikeline.config.problems import describe_problems
from spikeline.config.run import RunSettings
from spikeline.config.yaml_text import Positions, parse_yaml, read_yaml
from spikeline.errors import ConfigError

__all__ = ["load_run", "merged", "parse_override", "parse_run"]


def load_run(paths: str | Path | Iterable[str | Path], overrides: Mapping[str, Any] | None = None) -> RunSettings:
    """Settings of a run from one or more YAML files.

    Parameters
    ----------
    paths
        One file, or several; blocks of a later file are merged into those of an earlier one key by key, lists are
        replaced.
    overrides
        Settings that win over the files: nested, or with dotted keys (``{"simulation.bank.seeds": 2}``).

    Raises
    ------
    ConfigError
        If a file is missing, empty or not YAML, or any setting is unknown, missing, of the wrong kind or out of bounds.
        One error names every problem, each with the full key, the value, and what was expected.
    """
    files = [Path(paths)] if isinstance(paths, (str, Path)) else [Path(path) for path in paths]
    if not files and not overrides:
        raise ConfigError(
            "no configuration file was given", "at least one YAML file", "pass config/quick.yaml, for example"
        )
    values: dict[str, Any] = {}
    positions: Positions = {}
    for file in files:
        later, lines = read_yaml(file)
        values = merged(values, later)
        positions.update(lines)
    if overrides:
        nested = _nested(overrides)
        positions |= _override_positions(nested, values)
        values = merged(values, nested)
    return parse_run(values, ", ".join(map(str, files)) or "the given settings", positions)


def parse_run(
    values: Mapping[str, Any], name: str = "the configuration", positions: Positions | None = None
) -> RunSettings:
    """Settings of a run from plain values that something else has read, e.g. Snakemake's ``config``.

    Parameters
    ----------
    values
        Nested plain values.
    name, positions
        Where the values come from, for messages; see `spikeline.config.yaml_text.parse_yaml`.

    Raises
    ------
    ConfigError
        As `load_run`.
    """
    try:
        # PyYAML's own rules make dates of text like 2026-01-02; str gives the text back.
        return RunSettings.model_validate_json(json.dumps(values, default=str))
    except ValidationError as error:
        problems = describe_problems(error, RunSettings, positions or {})
    except (TypeError, ValueError) as error:
        problems = [f"a key or value has no plain form ({error})"]
    lines_of_text = "\n".join(f"  - {problem}" for problem in problems)
    count = "1 setting" if len(problems) == 1 else f"{len(problems)} settings"
    raise ConfigError(
        f"{name}: {count} cannot be used\n{lines_of_text}",
        "keys, units and bounds as in config/reference.yaml",
        "correct the lines named above, then run the same command again",
    )


def parse_override(text: str) -> dict[str, Any]:
    """``"simulation.bank.seeds=2"`` as overrides for `load_run`; the value is read as YAML.

    Raises
    ------
    ConfigError
        If there is no ``=`` or no key.
    """
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise ConfigError(
            f"the override {text!r}", "KEY=VALUE, e.g. simulation.bank.seeds=2", "write the full dotted key"
        )
    return {key.strip(): parse_yaml(value, "override")[0]}


def _nested(overrides: Mapping[str, Any]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key, value in overrides.items():
        *parents, last = str(key).split(".")
        block: dict[str, Any] = {last: _nested(value) if isinstance(value, Mapping) and value else value}
        for parent in reversed(parents):
            block = {parent: block}
        result = merged(result, block)
    return result


def _override_positions(values: Mapping[str, Any], earlier: Any, path: tuple[str | int, ...] = ()) -> Positions:
    """Where the overrides say something the files do not."""
    positions: Positions = {}
    for key, value in values.items():
        before = earlier.get(key) if isinstance(earlier, Mapping) else None
        if isinstance(value, Mapping):
            positions |= _override_positions(value, before, (*path, key))
        elif value != before:
            positions[(*path, key)] = "override"
    return positions
