"""YAML text into plain values that remember the line they came from.

Numbers follow YAML 1.2 (``1e4`` is a number; ``1:30``, ``2026-01-02``, ``yes`` and ``no`` are text), because settings
read with the 1.1 rules of PyYAML surprise people. A key that stands twice in one block is refused.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from spikeline.errors import ConfigError

__all__ = ["Positions", "parse_yaml", "read_yaml"]

Positions = dict[tuple[str | int, ...], str]
_PLAIN = [
    ("tag:yaml.org,2002:null", re.compile(r"(?:~|null|Null|NULL|)"), None),
    (
        "tag:yaml.org,2002:bool",
        re.compile(r"(?:true|True|TRUE|false|False|FALSE)"),
        lambda text: text.lower() == "true",
    ),
    ("tag:yaml.org,2002:int", re.compile(r"[-+]?[0-9]+"), int),
    ("tag:yaml.org,2002:float", re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"), float),
    (
        "tag:yaml.org,2002:float",
        re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"),
        lambda text: float(text.lower().replace(".", "")),
    ),
]
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def parse_yaml(text: str, name: str) -> tuple[Any, Positions]:
    """Parse YAML (or JSON) text.

    Returns
    -------
    values
        Dictionaries, lists, text, numbers, true/false and None.
    positions
        Path of keys -> ``"name line n"``.

    Raises
    ------
    ConfigError
        If it is not YAML, holds a key twice, a key that is not text, a tag, or an alias to itself.
    """
    try:
        node = yaml.compose(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise ConfigError(
            f"{name} is not YAML: {_one_line(error)}", "YAML text", "correct the line named above"
        ) from None
    positions: Positions = {}
    return _value(node, (), name, positions, ()), positions


def _one_line(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark is not None else ""
    return f"{getattr(error, 'problem', None) or error}{where}"


def _value(
    node: yaml.Node | None, path: tuple[str | int, ...], name: str, positions: Positions, parents: tuple[int, ...]
) -> Any:
    if node is None:
        return None
    line = node.start_mark.line + 1
    positions.setdefault(path, f"{name} line {line}")
    if id(node) in parents:
        raise ConfigError(
            f"{name} line {line}: an alias refers to a block that holds it", "blocks that end", "write the values out"
        )
    parents = (*parents, id(node))
    if not node.tag.startswith("tag:yaml.org,2002:") or "python" in node.tag:
        raise ConfigError(f"{name} line {line}: the tag {node.tag}", "values without tags", "write the value alone")
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, path, name, positions, parents)
    if isinstance(node, yaml.SequenceNode):
        return [_value(item, (*path, i), name, positions, parents) for i, item in enumerate(node.value)]
    if node.style in ("'", '"', "|", ">"):
        return node.value
    for _, pattern, construct in _PLAIN:
        if pattern.fullmatch(node.value):
            return None if construct is None else construct(node.value)
    return node.value


def _mapping(
    node: yaml.MappingNode, path: tuple[str | int, ...], name: str, positions: Positions, parents: tuple[int, ...]
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            raise ConfigError(
                f"{name} line {line}: a key is a block or a list", "keys that are text", "put quotes around it"
            )
        key = key_node.value
        if key in values:
            first = positions[(*path, key)]
            raise ConfigError(
                f"{name} line {line}: the key {'.'.join(map(str, (*path, key)))} stands twice (first at {first})",
                "each key once in its block",
                "delete one of the two; with both, one would silently win",
            )
        positions[(*path, key)] = f"{name} line {line}"
        values[key] = _value(value_node, (*path, key), name, positions, parents)
    return values


def read_yaml(path: str | Path) -> tuple[dict[str, Any], Positions]:
    """Read one configuration file.

    Raises
    ------
    ConfigError
        If the file is missing, unreadable, empty, not YAML, or not a block of keys.
    """
    path = Path(path)
    remedy = "see config/reference.yaml for every key, or start from config/quick.yaml"
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        near = sorted(p.name for p in path.parent.glob("*.y*ml")) if path.parent.is_dir() else []
        listing = f"; {path.parent} has {', '.join(near)}" if near else ""
        raise ConfigError(
            f"the configuration file {path} does not exist", f"a YAML file{listing}", "check the path"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read ({error})", "a YAML file in UTF-8", "check the path") from None
    values, positions = parse_yaml(text, path.name)
    if values is None:
        raise ConfigError(f"{path} is empty", "at least the keys run and simulation", remedy)
    if not isinstance(values, dict):
        raise ConfigError(f"{path} holds {values!r:.60}, not a block of keys", "lines of the form key: value", remedy)
    return values, positions
