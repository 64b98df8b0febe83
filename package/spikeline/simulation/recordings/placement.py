"""Where the units lie around the probe, and how they are turned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from spikeline.config.recordings import PlacementSettings
from spikeline.errors import DataError
from spikeline.simulation.bank import BankEntry
from spikeline.simulation.field.line_source import line_source_matrix
from spikeline.simulation.recordings.drift import DRIFT_AXIS

__all__ = [
    "BACKGROUND_DISTANCE_UM",
    "Placement",
    "draw_position",
    "draw_rotation",
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
# While a place is sought, only contacts this near the soma are looked at: the largest spike of a cell is seen close
# to it.
_LOOK_UM = 150.0


@dataclass(frozen=True)
class Placement:
    """A cell put beside the probe.

    Parameters
    ----------
    rotation
        (3, 3) rotation about the soma.
    position_um
        (3,) the soma's centre.
    spike_uv
        (n_channels, n_samples) its mean spike there, at the bank's rate.
    """

    rotation: np.ndarray
    position_um: np.ndarray
    spike_uv: np.ndarray

    @property
    def peak_to_peak_uv(self) -> float:
        """Largest peak-to-peak amplitude of the mean spike on any channel, uV."""
        return float(np.ptp(self.spike_uv, axis=1).max())

    @property
    def best_channel(self) -> int:
        """Channel of the largest peak-to-peak amplitude."""
        return int(np.ptp(self.spike_uv, axis=1).argmax())


def draw_rotation(kind: Literal["uniform", "upright", "fixed"], rng: np.random.Generator) -> np.ndarray:
    """A rotation matrix (3, 3).

    uniform: evenly over all rotations (a unit quaternion of four normals). upright: any turn about the y axis, then a
    tilt of at most 15 degrees towards any side, even over the cap. fixed: none.
    """
    if kind == "fixed":
        return np.eye(3)
    if kind == "uniform":
        w, x, y, z = _unit(rng.normal(size=4))
        return np.array(
            [
                [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
                [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
                [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
            ]
        )
    azimuth, side = rng.uniform(0, 2 * np.pi, 2)
    tilt = np.arccos(rng.uniform(np.cos(np.deg2rad(_TILT_DEGREES)), 1))
    turn = _about(np.array([0.0, 1.0, 0.0]), azimuth)
    return _about(np.array([np.cos(side), 0.0, np.sin(side)]), tilt) @ turn


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector)


def _about(axis: np.ndarray, angle: float) -> np.ndarray:
    """Rotation by ``angle`` about a unit ``axis`` (Rodrigues)."""
    cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def draw_position(
    contacts_um: np.ndarray,
    distance_um: tuple[float, float],
    rng: np.random.Generator,
    taken_um: np.ndarray | None = None,
    separation_um: float = 0.0,
) -> np.ndarray:
    """A position (3,), even over the volume whose nearest contact is within ``distance_um``, apart from those taken.

    Raises
    ------
    DataError
        If there is no room left.
    """
    low, high = contacts_um.min(axis=0) - distance_um[1], contacts_um.max(axis=0) + distance_um[1]
    for _ in range(100):
        candidates = rng.uniform(low, high, (256, 3))
        nearest = _nearest(candidates, contacts_um)
        good = (nearest >= distance_um[0]) & (nearest <= distance_um[1])
        if taken_um is not None and len(taken_um):
            good &= _nearest(candidates, taken_um) >= separation_um
        if good.any():
            return candidates[np.argmax(good)]
        if distance_um[0] == distance_um[1]:  # a shell without volume: a point at that distance from a random contact
            candidates = contacts_um[rng.integers(len(contacts_um), size=256)] + distance_um[0] * np.stack(
                [_unit(v) for v in rng.normal(size=(256, 3))]
            )
            good = _nearest(candidates, contacts_um) >= distance_um[0] * (1 - 1e-9)
            if taken_um is not None and len(taken_um):
                good &= _nearest(candidates, taken_um) >= separation_um
            if good.any():
                return candidates[np.argmax(good)]
    count = 0 if taken_um is None else len(taken_um)
    raise DataError(
        f"no room for another cell {distance_um[0]:g}-{distance_um[1]:g} um from the contacts after {count} cells",
        f"a place at least {separation_um:g} um from every other cell",
        "widen placement.distance_um, lower placement.minimum_separation_um, or ask for fewer units",
    )


def _nearest(points: np.ndarray, targets: np.ndarray) -> np.ndarray:
    squared = (points**2).sum(axis=1)[:, None] + (targets**2).sum(axis=1)[None] - 2 * points @ targets.T
    return np.sqrt(np.clip(squared.min(axis=1), 0, None))


def projection(
    entry: BankEntry,
    rotation: np.ndarray,
    position_um: np.ndarray,
    contacts_um: np.ndarray,
    conductivity_s_per_m: float = 0.3,
) -> np.ndarray:
    """Potential per scaled component: (n_contacts, rank) float64, uV; times the components it is the potential."""
    geometry = entry.geometry.moved(rotation, position_um)
    return line_source_matrix(geometry, contacts_um, conductivity_s_per_m) @ entry.basis.astype(np.float64)


def projection_table(
    entry: BankEntry,
    rotation: np.ndarray,
    position_um: np.ndarray,
    contacts_um: np.ndarray,
    grid_um: np.ndarray,
    conductivity_s_per_m: float = 0.3,
) -> np.ndarray:
    """`projection` at each displacement of ``grid_um`` along the depth: (n_steps, n_contacts, rank) float32, uV."""
    return np.stack(
        [
            projection(entry, rotation, position_um + shift * DRIFT_AXIS, contacts_um, conductivity_s_per_m).astype(
                np.float32
            )
            for shift in grid_um
        ]
    )


def mean_spike(entry: BankEntry, maximum_spikes: int = 200) -> np.ndarray:
    """Mean of the scaled components around the entry's spikes, baseline removed: (rank, n_samples) float64.

    Raises
    ------
    DataError
        If no spike lies far enough from the entry's ends.
    """
    before, after = (round(t * 1e-3 * entry.sampling_rate_hz) for t in _MEAN_SPIKE_MS)
    spikes = entry.spike_samples[(entry.spike_samples + before >= 0) & (entry.spike_samples + after <= entry.n_samples)]
    if len(spikes) == 0:
        raise DataError(
            f"{entry.name} has no spike",
            "a bank entry that fires",
            "raise stimulus.amplitude_rheobase or bank.duration_s",
        )
    chosen = spikes[np.linspace(0, len(spikes) - 1, min(len(spikes), maximum_spikes)).astype(int)]
    total = np.zeros((entry.rank, after - before))
    for spike in chosen:
        total += entry.components(int(spike) + before, int(spike) + after)
    total /= len(chosen)
    return total - total[:, : max(1, -before // 4)].mean(axis=1, keepdims=True)


def place_unit(
    entry: BankEntry,
    contacts_um: np.ndarray,
    settings: PlacementSettings,
    rng: np.random.Generator,
    taken_um: np.ndarray,
    conductivity_s_per_m: float = 0.3,
) -> tuple[Placement | None, float]:
    """A placement whose mean spike is large enough, or None after 1000 tries; and the largest peak-to-peak seen, uV."""
    spike = mean_spike(entry)
    largest = 0.0
    for _ in range(_ATTEMPTS):
        position = draw_position(contacts_um, settings.distance_um, rng, taken_um, settings.minimum_separation_um)
        rotation = draw_rotation(settings.rotation, rng)
        near = contacts_um[np.linalg.norm(contacts_um - position, axis=1) < max(_LOOK_UM, settings.distance_um[1] + 1)]
        amplitude = np.ptp(projection(entry, rotation, position, near, conductivity_s_per_m) @ spike, axis=1).max()
        if amplitude >= settings.minimum_amplitude_uv:
            seen = projection(entry, rotation, position, contacts_um, conductivity_s_per_m) @ spike
            return Placement(rotation, position, seen), float(np.ptp(seen, axis=1).max())
        largest = max(largest, float(amplitude))
    return None, largest


def place_background(
    contacts_um: np.ndarray, rotation: Literal["uniform", "upright", "fixed"], rng: np.random.Generator
) -> Placement:
    """A placement of a far unit, 60-200 um from the nearest contact; far cells may share a place."""
    position = draw_position(contacts_um, BACKGROUND_DISTANCE_UM, rng)
    return Placement(draw_rotation(rotation, rng), position, np.zeros((len(contacts_um), 1)))
