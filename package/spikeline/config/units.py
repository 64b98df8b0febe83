"""Units as they stand at the end of a key (``duration_s``) or behind a number (``"10 ms"``), and their conversion."""

from __future__ import annotations

import re

__all__ = ["convert", "other_units", "parse_quantity", "split_unit", "written"]

# family -> unit -> (factor, offset) to the family's first unit
_FAMILIES: dict[str, dict[str, tuple[float, float]]] = {
    "time": {"s": (1, 0), "ms": (1e-3, 0), "us": (1e-6, 0), "min": (60, 0), "h": (3600, 0)},
    "length": {"m": (1, 0), "cm": (1e-2, 0), "mm": (1e-3, 0), "um": (1e-6, 0), "nm": (1e-9, 0)},
    "frequency": {"hz": (1, 0), "khz": (1e3, 0), "mhz": (1e6, 0)},
    "voltage": {"v": (1, 0), "mv": (1e-3, 0), "uv": (1e-6, 0)},
    "current": {"a": (1, 0), "ma": (1e-3, 0), "ua": (1e-6, 0), "na": (1e-9, 0), "pa": (1e-12, 0)},
    "temperature": {"c": (1, 0), "k": (1, -273.15)},
    "angle": {"deg": (1, 0), "rad": (57.29577951308232, 0)},
    "share": {"fraction": (1, 0), "percent": (1e-2, 0)},
    "conductivity": {"s_per_m": (1, 0), "ms_per_cm": (0.1, 0)},
}
_SYNONYMS = {
    "sec": "s", "second": "s", "seconds": "s", "minutes": "min", "hours": "h", "micron": "um", "microns": "um",
    "degree": "deg", "degrees": "deg",
    "%": "percent", "degreesc": "c", "degc": "c", "°c": "c", "s/m": "s_per_m", "ms/cm": "ms_per_cm",
}  # fmt: skip
_WRITTEN = {
    "hz": "Hz", "khz": "kHz", "mhz": "MHz", "v": "V", "mv": "mV", "uv": "uV", "a": "A", "ma": "mA", "ua": "uA",
    "na": "nA", "pa": "pA", "c": "degrees C", "k": "K", "deg": "degrees", "percent": "%",
    "s_per_m": "S/m", "ms_per_cm": "mS/cm",
}  # fmt: skip
_QUANTITY = re.compile(r"\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*([^\d\s].*?)?\s*")


def _token(unit: str) -> str:
    unit = unit.strip().replace("µ", "u").replace("μ", "u").replace(" ", "").lower()
    return _SYNONYMS.get(unit, unit)


def written(token: str) -> str:
    """A unit as people write it: ``hz`` -> ``Hz``."""
    return _WRITTEN.get(token, token)


def split_unit(key: str) -> tuple[str, str]:
    """``"duration_ms"`` -> ``("duration", "ms")``; the unit is empty if the key ends in none."""
    tokens = [token for units in _FAMILIES.values() for token in units] + list(_SYNONYMS)
    for token in sorted(tokens, key=len, reverse=True):
        if key.lower().endswith("_" + token):
            return key[: -len(token) - 1], _token(token)
    return key, ""


def convert(value: float, unit: str, target: str) -> float | None:
    """``value`` in ``unit`` expressed in ``target``; None if the two measure different things."""
    unit, target = _token(unit), _token(target)
    for units in _FAMILIES.values():
        if unit in units and target in units:
            (factor, offset), (target_factor, target_offset) = units[unit], units[target]
            return float(f"{(value * factor + offset - target_offset) / target_factor:.12g}")
    return None


def other_units(unit: str) -> list[str]:
    """The other units of what ``unit`` measures, nearest first."""
    unit = _token(unit)
    for units in _FAMILIES.values():
        if unit in units:
            ratio = {other: units[other][0] / units[unit][0] for other in units if other != unit}
            return sorted(ratio, key=lambda other: max(ratio[other], 1 / ratio[other]))
    return []


def parse_quantity(text: str) -> tuple[float, str] | None:
    """``"10 ms"`` -> ``(10.0, "ms")``; None if the text does not start with a number."""
    match = _QUANTITY.fullmatch(text)
    return (float(match[1]), (match[2] or "").strip()) if match else None
