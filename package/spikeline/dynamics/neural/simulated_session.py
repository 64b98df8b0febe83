"""A day that resembles recordings of somatosensory area 2, made of three linear systems: always at hand, never data.

Eight directions of reaching; which of three systems drives the population depends on the direction. A system turns the
velocity of the hand, 40 ms earlier, into six hidden signals; 65 units fire at rates that follow mixtures of these and
never fall below zero, and spikes are Poisson. All numbers are choices made here, in the range of such recordings.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int64

from spikeline.artifacts import seed_stream
from spikeline.data.behaviour import BehaviourSeries
from spikeline.data.intervals import Intervals
from spikeline.data.session import Session
from spikeline.dynamics.simulated.generator import random_system
from spikeline.dynamics.systems import LinearSystem

__all__ = ["DELAY_S", "N_SYSTEMS", "SYSTEM_OF_DIRECTION", "simulated_session"]

SYSTEM_OF_DIRECTION = np.array([0, 0, 0, 1, 1, 1, 2, 2])
"""Component of each of the eight directions, 0 degrees first."""

N_SYSTEMS = len(set(SYSTEM_OF_DIRECTION.tolist()))
"""How many components the day has."""

DELAY_S = 0.04
"""By how much activity comes after the movement."""

_STAGE = "molds-simulated-session"
_STEP_S = 0.02
_SPACING_S = 2.0
_BEFORE_S, _AFTER_S = 0.6, 0.8  # around movement onset
_N_STATES, _N_OUTPUTS = 2, 6
_PEAK_CM_S, _PEAK_AFTER_S, _WIDTH_S = 15.0, 0.15, 0.08
_SPREAD = {"peak": 0.2, "time": 0.04, "width": 0.15}  # from trial to trial; peak and width relative, time in s
_TREMOR_CM_S, _TREMOR_S = 8.0, 0.05  # standard deviation and memory of what is not the reach itself
_RATE_HZ, _RATE_SPREAD = 40.0, 0.5  # busier than units of area 2 are, so that 200 trials tell three systems apart
_MODULATION = 0.5  # standard deviation of what moves the rates, relative to them


def simulated_session(seed: int, *, n_trials: int = 200, n_units: int = 65) -> Session:
    """Spikes, hand velocity and trials of a simulated day.

    Parameters
    ----------
    seed
        Root seed.
    n_trials, n_units
        How many. Directions follow each other in random order, all equally often but for a remainder.

    Returns
    -------
    Session
        Trials with ``go``, ``direction_deg`` and, as nothing else in a session, the truth: ``system``.
    """
    draw = seed_stream(seed, _STAGE)
    direction = draw.permutation(np.arange(n_trials) % len(SYSTEM_OF_DIRECTION))
    system_of = SYSTEM_OF_DIRECTION[direction]
    velocity = _velocities(2 * np.pi * direction / len(SYSTEM_OF_DIRECTION), draw)
    lag = round(DELAY_S / _STEP_S)
    driven = np.concatenate([velocity[:, :1].repeat(lag, axis=1), velocity[:, :-lag]], axis=1) / _TREMOR_CM_S
    systems = [
        random_system(_N_STATES, 2, _N_OUTPUTS, seed_stream(seed, _STAGE, f"system{k}")) for k in range(N_SYSTEMS)
    ]
    hidden = _responses(systems, system_of, driven, draw)
    hidden *= _MODULATION / hidden.std()
    loadings = draw.normal(size=(_N_OUTPUTS, n_units)) / np.sqrt(_N_OUTPUTS)
    own = _RATE_HZ * np.exp(draw.normal(0, _RATE_SPREAD, n_units))
    rates = own * np.maximum(0, 1 + hidden @ loadings)
    go = 1.0 + _SPACING_S * np.arange(n_trials)
    clock = go[:, None] - _BEFORE_S + _STEP_S * np.arange(velocity.shape[1])
    counts = draw.poisson(rates * _STEP_S)
    where, unit = (np.repeat(part, counts.ravel()) for part in np.indices((clock.size, n_units)).reshape(2, -1))
    times = clock.ravel()[where] + _STEP_S * draw.uniform(size=len(where))
    order = np.argsort(times, kind="stable")
    return Session(
        spike_times=times[order],
        spike_units=unit[order],
        units={"unit_id": np.arange(n_units)},
        behaviour={
            "hand_velocity": BehaviourSeries((clock + _STEP_S / 2).ravel(), velocity.reshape(-1, 2), "cm/s"),
        },
        trials=Intervals(
            go - _BEFORE_S + 0.1,
            go + _AFTER_S - 0.1,
            {"go": go, "direction_deg": 360.0 * direction / len(SYSTEM_OF_DIRECTION), "system": system_of},
        ),
        name="simulated",
    )


def _velocities(angles: Float[np.ndarray, " trials"], draw: np.random.Generator) -> Float[np.ndarray, "trials steps 2"]:
    """A bell in the direction of the reach, and smooth movement of its own in both axes."""
    n, steps = len(angles), round((_BEFORE_S + _AFTER_S) / _STEP_S)
    time = _STEP_S * (np.arange(steps) + 0.5) - _BEFORE_S
    peak = _PEAK_CM_S * (1 + _SPREAD["peak"] * draw.normal(size=n))
    at = _PEAK_AFTER_S + _SPREAD["time"] * draw.normal(size=n)
    width = _WIDTH_S * (1 + _SPREAD["width"] * draw.normal(size=n)).clip(0.3)
    bell = peak[:, None] * np.exp(-0.5 * ((time - at[:, None]) / width[:, None]) ** 2)
    kept = np.exp(-_STEP_S / _TREMOR_S)
    tremor = np.empty((n, steps, 2))
    tremor[:, 0] = draw.normal(size=(n, 2))
    for step in range(1, steps):
        tremor[:, step] = kept * tremor[:, step - 1] + np.sqrt(1 - kept**2) * draw.normal(size=(n, 2))
    return bell[..., None] * np.stack([np.cos(angles), np.sin(angles)], axis=1)[:, None] + _TREMOR_CM_S * tremor


def _responses(
    systems: list[LinearSystem],
    system_of: Int64[np.ndarray, " trials"],
    inputs: Float[np.ndarray, "trials steps 2"],
    draw: np.random.Generator,
) -> Float[np.ndarray, "trials steps 6"]:
    """What the systems make of the inputs; noise in the states, none in the outputs: that is the spikes' own."""
    outputs = np.empty((*inputs.shape[:2], _N_OUTPUTS))
    for k, system in enumerate(systems):
        own = np.flatnonzero(system_of == k)
        root = np.linalg.cholesky(system.Q)
        state = np.zeros((len(own), _N_STATES))
        for step in range(inputs.shape[1]):
            outputs[own, step] = state @ system.C.T + inputs[own, step] @ system.D.T
            state = state @ system.A.T + inputs[own, step] @ system.B.T + draw.normal(size=state.shape) @ root.T
    return outputs
