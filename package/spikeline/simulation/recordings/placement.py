"""Where the units lie around the probe, and how they are turned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Float32, Float64

from spikeline.config.recordings import PlacementSettings
from spikeline.errors import DataError
from spikeline.simulation.bank import BankEntry
from spikeline.simulation.field.line_source import line_source_matrix
from spikeline.simulation.recordings.drift import DRIFT_AXIS

__all__ = [
    "BACKGROUND_DISTANCE_UM",
    "Placement",
    "draw_position",
    "draw_positions",
    "draw_rotation",
    "draw_rotations",
    "mean_spike",
    "place_background",
    "place_unit",
    "projection",
    "projection_table",
]

BACKGROUND_DISTANCE_UM = (60.0, 200.0)
_TILT_DEGREES = 15.0
_MEAN_SPIKE_MS = (-2.0, 4.0)
_ATTEMPTS = 1000
# Places are tried this many at a time; how many are drawn at a time is part of which place a seed leads to.
_TOGETHER = 16
_CANDIDATES = 256
# While a place is sought, only contacts this near the soma are looked at: the largest spike of a cell is seen close
# to it.
_LOOK_UM = 150.0


@dataclass(frozen=True)
class Placement:
    """A cell put beside the probe.

    Parameters
    ----------
    rotation
        Rotation about the soma.
    position_um
        The soma's centre.
    spike_uv
        Its mean spike there, at the bank's rate.
    """

    rotation: Float64[np.ndarray, "3 3"]
    position_um: Float64[np.ndarray, " 3"]
    spike_uv: Float64[np.ndarray, "channels samples"]

    @property
    def peak_to_peak_uv(self) -> float:
        """Largest peak-to-peak amplitude of the mean spike on any channel, uV."""
        return float(np.ptp(self.spike_uv, axis=1).max())

    @property
    def best_channel(self) -> int:
        """Channel of the largest peak-to-peak amplitude."""
        return int(np.ptp(self.spike_uv, axis=1).argmax())


def draw_rotations(
    kind: Literal["uniform", "upright", "fixed"], count: int, rng: np.random.Generator
) -> Float64[np.ndarray, "{count} 3 3"]:
    """Rotation matrices.

    uniform: evenly over all rotations (a unit quaternion of four normals). upright: any turn about the y axis, then a
    tilt of at most 15 degrees towards any side, even over the cap. fixed: none.
    """
    if kind == "fixed":
        return np.tile(np.eye(3), (count, 1, 1))
    if kind == "uniform":
        w, x, y, z = _unit(rng.normal(size=(count, 4))).T
        rows = [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
        return np.ascontiguousarray(np.transpose(rows, (2, 0, 1)))
    azimuth, side = rng.uniform(0, 2 * np.pi, (2, count))
    tilt = np.arccos(rng.uniform(np.cos(np.deg2rad(_TILT_DEGREES)), 1, count))
    none = np.zeros(count)
    turn = _about(np.stack([none, none + 1, none], axis=1), azimuth)
    return _about(np.stack([np.cos(side), none, np.sin(side)], axis=1), tilt) @ turn


def draw_rotation(kind: Literal["uniform", "upright", "fixed"], rng: np.random.Generator) -> Float64[np.ndarray, "3 3"]:
    """One of `draw_rotations`."""
    return draw_rotations(kind, 1, rng)[0]


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def _about(axis: np.ndarray, angle: np.ndarray) -> np.ndarray:
    """Rotations (n, 3, 3) by angles (n,) about unit axes (n, 3) (Rodrigues)."""
    x, y, z = axis.T
    none = np.zeros_like(x)
    cross = np.transpose([[none, -z, y], [z, none, -x], [-y, x, none]], (2, 0, 1))
    sine, cosine = np.sin(angle)[:, None, None], np.cos(angle)[:, None, None]
    return np.eye(3) + sine * cross + (1 - cosine) * cross @ cross


def draw_positions(
    contacts_um: Float[np.ndarray, "contacts 3"],
    distance_um: tuple[float, float],
    rng: np.random.Generator,
    taken_um: Float[np.ndarray, "taken 3"] | None = None,
    separation_um: float = 0.0,
) -> Float64[np.ndarray, "positions 3"]:
    """Positions, at least one: independent, each even over the volume whose nearest contact is within ``distance_um``.

    Each keeps ``separation_um`` from those taken, though not from the others. How many there are is left to chance:
    all good ones of 256 tries.

    Raises
    ------
    DataError
        If there is no room left.
    """
    taken = np.zeros((0, 3)) if taken_um is None else taken_um
    low, high = contacts_um.min(axis=0) - distance_um[1], contacts_um.max(axis=0) + distance_um[1]
    shell = distance_um[0] == distance_um[1]  # without volume: points at that distance from a random contact
    nearest_allowed = distance_um[0] * (1 - 1e-9) if shell else distance_um[0]
    for _ in range(100):
        if shell:
            chosen = contacts_um[rng.integers(len(contacts_um), size=_CANDIDATES)]
            candidates = chosen + distance_um[0] * _unit(rng.normal(size=(_CANDIDATES, 3)))
        else:
            candidates = rng.uniform(low, high, (_CANDIDATES, 3))
        nearest = _nearest(candidates, contacts_um)
        good = nearest >= nearest_allowed
        if not shell:
            good &= nearest <= distance_um[1]
        if len(taken):
            good &= _nearest(candidates, taken) >= separation_um
        if good.any():
            return candidates[good]
    raise DataError(
        f"no room for another cell {distance_um[0]:g}-{distance_um[1]:g} um from the contacts after {len(taken)} cells",
        f"a place at least {separation_um:g} um from every other cell",
        "widen placement.distance_um, lower placement.minimum_separation_um, or ask for fewer units",
    )


def draw_position(
    contacts_um: Float[np.ndarray, "contacts 3"],
    distance_um: tuple[float, float],
    rng: np.random.Generator,
    taken_um: Float[np.ndarray, "taken 3"] | None = None,
    separation_um: float = 0.0,
) -> Float64[np.ndarray, " 3"]:
    """One of `draw_positions`."""
    return draw_positions(contacts_um, distance_um, rng, taken_um, separation_um)[0]


def _nearest(points: np.ndarray, targets: np.ndarray) -> np.ndarray:
    squared = (points**2).sum(axis=1)[:, None] + (targets**2).sum(axis=1)[None] - 2 * points @ targets.T
    return np.sqrt(np.clip(squared.min(axis=1), 0, None))


def projection(
    entry: BankEntry,
    rotation: Float[np.ndarray, "3 3"],
    position_um: Float[np.ndarray, " 3"],
    contacts_um: Float[np.ndarray, "contacts 3"],
    conductivity_s_per_m: float = 0.3,
) -> Float64[np.ndarray, "contacts {entry.rank}"]:
    """Potential per scaled component, uV; times the components it is the potential."""
    geometry = entry.geometry.moved(rotation, position_um)
    return line_source_matrix(geometry, contacts_um, conductivity_s_per_m) @ entry.basis.astype(np.float64)


def projection_table(
    entry: BankEntry,
    rotation: Float[np.ndarray, "3 3"],
    position_um: Float[np.ndarray, " 3"],
    contacts_um: Float[np.ndarray, "contacts 3"],
    grid_um: Float[np.ndarray, " steps"],
    conductivity_s_per_m: float = 0.3,
) -> Float32[np.ndarray, "steps contacts {entry.rank}"]:
    """`projection` at each displacement of ``grid_um`` along the depth, uV."""
    return np.stack(
        [
            projection(entry, rotation, position_um + shift * DRIFT_AXIS, contacts_um, conductivity_s_per_m).astype(
                np.float32
            )
            for shift in grid_um
        ]
    )


def mean_spike(entry: BankEntry, maximum_spikes: int = 200) -> Float64[np.ndarray, "{entry.rank} samples"]:
    """Mean of the scaled components around the entry's spikes, baseline removed.

    Raises
    ------
    DataError
        If no spike lies far enough from the entry's ends.
    """
    return entry.once(("mean_spike", maximum_spikes), lambda: _mean_spike(entry, maximum_spikes))


def _mean_spike(entry: BankEntry, maximum_spikes: int) -> np.ndarray:
    before, after = (round(t * 1e-3 * entry.sampling_rate_hz) for t in _MEAN_SPIKE_MS)
    spikes = entry.spike_samples[(entry.spike_samples + before >= 0) & (entry.spike_samples + after <= entry.n_samples)]
    if len(spikes) == 0:
        raise DataError(
            f"{entry.name} has no spike",
            "a bank entry that fires",
            "raise stimulus.amplitude_rheobase or bank.duration_s",
        )
    chosen = spikes[np.linspace(0, len(spikes) - 1, min(len(spikes), maximum_spikes)).astype(int)]
    mean = entry.windows(chosen + before, after - before).mean(axis=0, dtype=np.float64)
    return mean - mean[:, : max(1, -before // 4)].mean(axis=1, keepdims=True)


def place_unit(
    entry: BankEntry,
    contacts_um: Float[np.ndarray, "contacts 3"],
    settings: PlacementSettings,
    rng: np.random.Generator,
    taken_um: Float[np.ndarray, "taken 3"],
    conductivity_s_per_m: float = 0.3,
) -> tuple[Placement | None, float]:
    """A placement whose mean spike is large enough, or None after 1000 tries; and the largest peak-to-peak seen, uV."""
    spike = mean_spike(entry)
    largest, tried = 0.0, 0
    while tried < _ATTEMPTS:
        positions = draw_positions(contacts_um, settings.distance_um, rng, taken_um, settings.minimum_separation_um)
        positions = positions[: _ATTEMPTS - tried]
        rotations = draw_rotations(settings.rotation, len(positions), rng)
        tried += len(positions)
        for first in range(0, len(positions), _TOGETHER):
            some = slice(first, first + _TOGETHER)
            amplitude = _largest_amplitude(
                entry,
                spike,
                positions[some],
                rotations[some],
                contacts_um,
                settings.distance_um[1],
                conductivity_s_per_m,
            )
            if amplitude.max() >= settings.minimum_amplitude_uv:
                found = first + int(np.argmax(amplitude >= settings.minimum_amplitude_uv))
                position, rotation = positions[found], rotations[found]
                seen = projection(entry, rotation, position, contacts_um, conductivity_s_per_m) @ spike
                return Placement(rotation, position, seen), float(np.ptp(seen, axis=1).max())
            largest = max(largest, float(amplitude.max()))
    return None, largest


def _largest_amplitude(
    entry: BankEntry,
    spike: np.ndarray,
    positions: np.ndarray,
    rotations: np.ndarray,
    contacts_um: np.ndarray,
    farthest_um: float,
    conductivity_s_per_m: float,
) -> np.ndarray:
    """Peak-to-peak amplitude of the mean spike on the best near contact, for each placement: (n,), uV.

    The contacts are moved into the resting cell's frame, so that one set of line sources serves all placements.
    """
    offsets = contacts_um[None] - positions[:, None]
    near = (offsets**2).sum(axis=2) < max(_LOOK_UM, farthest_um + 1) ** 2
    turned = (offsets @ rotations)[near]  # row vectors: the inverse rotation from the left is the rotation from here
    seen = line_source_matrix(entry.geometry, turned, conductivity_s_per_m) @ entry.basis.astype(np.float64) @ spike
    starts = np.cumsum([0, *near.sum(axis=1)[:-1]])  # every placement has a contact near it
    return np.maximum.reduceat(np.ptp(seen, axis=1), starts)


def place_background(
    contacts_um: Float[np.ndarray, "contacts 3"],
    rotation: Literal["uniform", "upright", "fixed"],
    rng: np.random.Generator,
) -> Placement:
    """A placement of a far unit, 60-200 um from the nearest contact; far cells may share a place."""
    position = draw_position(contacts_um, BACKGROUND_DISTANCE_UM, rng)
    return Placement(draw_rotation(rotation, rng), position, np.zeros((len(contacts_um), 1)))
