"""Motion of the tissue along the probe: a slow sine, jumps, or both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Float64

from spikeline.artifacts import seed_stream
from spikeline.config.recordings import DriftSettings

__all__ = ["DRIFT_AXIS", "Drift", "draw_drift", "drift_grid"]

# Tissue moves along the depth: the morphology's y axis.
DRIFT_AXIS = np.array([0.0, 1.0, 0.0])


@dataclass(frozen=True)
class Drift:
    """Displacement of the tissue as a function of time.

    Parameters
    ----------
    amplitude_um, period_s, phase
        The slow part, ``amplitude * sin(2 pi t / period + phase)`` (radians); amplitude 0 for none.
    jump_times_s
        Times at which the tissue jumps, rising.
    jump_levels_um
        Displacement of the jumping part before, between and after them.
    """

    amplitude_um: float
    period_s: float
    phase: float
    jump_times_s: Float64[np.ndarray, " jumps"]
    jump_levels_um: Float64[np.ndarray, " jumps+1"]

    def displacement_um(self, time_s: Float[np.ndarray, " times"]) -> Float64[np.ndarray, " times"]:
        """Displacement in um at the given times in s."""
        time_s = np.asarray(time_s, dtype=np.float64)
        slow = self.amplitude_um * np.sin(2 * np.pi * time_s / self.period_s + self.phase)
        return slow + self.jump_levels_um[np.searchsorted(self.jump_times_s, time_s, side="right")]


def draw_drift(settings: DriftSettings, duration_s: float, seed: int, name: str) -> Drift | None:
    """A drift of the given kind, or None for a still recording.

    The slow part starts at a random phase. Jumps come at exponential intervals; the levels between them are
    independent, so that each jump has the standard deviation ``jump_um`` and the tissue does not wander off in long
    recordings.
    """
    if settings.kind == "none":
        return None
    rng = seed_stream(seed, "recording-drift", name)
    slow, jumps = settings.kind in ("slow", "slow_and_jumps"), settings.kind in ("jumps", "slow_and_jumps")
    phase = rng.uniform(0, 2 * np.pi)
    times: list[float] = []
    while jumps:
        time = (times[-1] if times else 0.0) + rng.exponential(settings.jump_interval_s)
        if time >= duration_s:
            break
        times.append(time)
    levels = rng.normal(0, settings.jump_um / np.sqrt(2), len(times) + 1) if jumps else np.zeros(1)
    return Drift(settings.amplitude_um if slow else 0.0, settings.period_s, phase, np.array(times), levels - levels[0])


def drift_grid(drift: Drift | None, step_um: float) -> Float64[np.ndarray, " steps"]:
    """Displacements at which the field is computed, in um: multiples of ``step_um`` around the motion."""
    if drift is None:
        return np.zeros(1)
    low = drift.jump_levels_um.min() - abs(drift.amplitude_um)
    high = drift.jump_levels_um.max() + abs(drift.amplitude_um)
    return step_um * np.arange(np.floor(low / step_um), np.ceil(high / step_um) + 1)
