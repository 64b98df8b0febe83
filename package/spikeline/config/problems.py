"""Validation errors in plain words: the key, the value, what was expected, the nearest right key."""

from __future__ import annotations

import difflib
from typing import Any

from pydantic import ValidationError

from spikeline.config.base import Settings
from spikeline.config.keys import Key, all_keys, find_key, keys_of, shortest_number
from spikeline.config.units import convert, other_units, parse_quantity, split_unit, written
from spikeline.config.yaml_text import Positions

__all__ = ["describe_problems", "nearest_key"]

_NUMBER_TYPES = ("a number", "a whole number")


def describe_problems(error: ValidationError, model: type[Settings], positions: Positions) -> list[str]:
    """One line per problem."""
    return [_describe(problem, model, positions) for problem in error.errors(include_url=False)]


def _describe(problem: dict[str, Any], model: type[Settings], positions: Positions) -> str:
    path = tuple(part for part in problem["loc"] if part != "[key]")
    name = ".".join(map(str, path))
    where = next((positions[path[:n]] for n in range(len(path), 0, -1) if path[:n] in positions), "")
    where = f" ({where})" if where else ""
    value, kind = problem["input"], problem["type"]
    if kind == "extra_forbidden":
        return f"{name} = {_short(value)}{where}: there is no such key. {nearest_key(path, value, model)}"
    key, _, rest = find_key(model, path)
    if kind == "missing" and key is not None and not rest:
        return f"{name} is missing{where}: expected {key.expected}. {key.description}"
    if kind in ("value_error", "assertion_error") or key is None:
        message = problem["msg"].removeprefix("Value error, ")
        return f"{name or 'the settings'}{where}: {message}"
    if kind == "missing" or rest:
        whole = ".".join(map(str, path[: len(path) - len(rest)])) if rest else name
        return f"{whole}{where}: {_short(value)} does not fit, expected {key.expected}{_hint(key, value)}"
    return f"{name} = {_short(value)}{where}: expected {_expected(key, problem)}{_hint(key, value)}"


def _expected(key: Key, problem: dict[str, Any]) -> str:
    if problem["type"] == "string_pattern_mismatch":
        return f"{key.kind} made of letters, digits, '_' and '-', starting with a letter or digit"
    if problem["type"] == "too_short":
        return f"{key.expected} with at least {problem['ctx']['min_length']} of them"
    return key.expected


def _hint(key: Key, value: Any) -> str:
    """What the writer probably meant by ``value``; empty if there is no telling."""
    if key.choices and isinstance(value, str):
        near = difflib.get_close_matches(value, map(str, key.choices), 1)
        return f"; did you mean {near[0]}?" if near else ""
    if key.kind.startswith(_NUMBER_TYPES):
        return _hint_number(key, value)
    if key.kind.startswith("two numbers") and isinstance(value, (int, float, str)):
        return f"; write both bounds, as in {list(key.default) if key.default else '[low, high]'}"
    if key.kind.startswith("a list") and isinstance(value, (str, int, float)) and not isinstance(value, bool):
        return f"; a list of one is written [{value}]"
    if key.named and isinstance(value, list):
        return "; write each name as a key with its settings below it"
    if key.kind.startswith("text") and isinstance(value, (int, float)):
        return f"; put quotes around it: '{value}'"
    return ""


def _hint_number(key: Key, value: Any) -> str:
    whole = key.kind.startswith("a whole number")
    if isinstance(value, str):
        quantity = parse_quantity(value)
        if quantity is None:
            return ""
        number, unit = quantity
        if not unit:
            return f"; write {shortest_number(number)}, without quotes"
        target = key.unit or "fraction"
        converted = convert(number, unit, target)
        if converted is None:
            return f"; {unit} is not a unit of this key" + (f", which is in {key.unit}" if key.unit else "")
        return f"; a number alone, the unit stands in the key: {value.strip()} is {shortest_number(converted)}"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return ""
    if whole and isinstance(value, float) and value == int(value) and key.allows(value):
        return f"; without the decimal point: {int(value)}"
    if key.allows(value):
        return ""
    target = key.unit or "fraction"
    readings = []
    for unit in other_units(target) if key.unit or key.bounds.get("le") == 1 else []:
        converted = convert(value, unit, target)
        if converted is not None and key.allows(converted):
            readings.append(f"{shortest_number(value)} {written(unit)} is {shortest_number(converted)}")
    return f"; {' and '.join(readings[:2])}" + (f" {key.unit}".rstrip() if key.unit else "") if readings else ""


def nearest_key(path: tuple[str | int, ...], value: Any, model: type[Settings]) -> str:
    """The right key nearest to an unknown one, in a sentence.

    Looked for in this order: the same quantity in another unit, the same name elsewhere in the configuration, a similar
    name in the same block. Failing all, the keys of the block are listed.
    """
    unknown = str(path[-1])
    _, block, _ = find_key(model, path[:-1])
    if block is None:
        return "It stands inside a plain value."
    known = keys_of(block)
    if (sentence := _same_quantity(unknown, value, known)) is not None:
        return sentence
    elsewhere = [".".join(parts) for parts, key in all_keys(model) if key.name == unknown]
    if elsewhere:
        return f"{unknown} is a key elsewhere: {', '.join(elsewhere[:4])}."
    stem = split_unit(unknown)[0]
    near = (
        difflib.get_close_matches(unknown, known, 1, 0.6)
        or [
            name
            for match in difflib.get_close_matches(stem, [split_unit(k)[0] for k in known], 1, 0.6)
            for name in known
            if split_unit(name)[0] == match
        ][:1]
    )
    if near:
        unit = known[near[0]].unit
        return f"The nearest key is {near[0]}{f', in {unit}' if unit else ''}."
    deep = {key.name: ".".join(parts) for parts, key in all_keys(model)}
    if far := difflib.get_close_matches(unknown, deep, 1, 0.8):
        return f"The nearest key is {deep[far[0]]}."
    parent = ".".join(map(str, path[:-1]))
    return f"{parent or 'The configuration'} has the keys {', '.join(known)}."


def _same_quantity(unknown: str, value: Any, known: dict[str, Key]) -> str | None:
    stem, unit = split_unit(unknown)
    for name, key in known.items():
        key_stem, key_unit = split_unit(name)
        if key_stem != stem or name == unknown:
            continue
        sentence = f"The nearest key is {name}{f', in {key.unit}' if key.unit else ''}"
        numbers = value if isinstance(value, list) else [value]
        if unit and key_unit and all(isinstance(n, (int, float)) and not isinstance(n, bool) for n in numbers):
            converted = [convert(float(n), unit, key_unit) for n in numbers]
            if None not in converted:
                texts = [shortest_number(c) for c in converted if c is not None]
                right = f"[{', '.join(texts)}]" if isinstance(value, list) else texts[0]
                return f"{sentence}: {_short(value)} {written(unit)} is {right}."
        return sentence + "."
    return None


def _short(value: Any) -> str:
    text = "null" if value is None else str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
