"""Small bank entries made by formula: a soma with a dendrite, spikes, and slow currents, summing to zero."""

from __future__ import annotations

import numpy as np

from spikeline.simulation.bank import BankEntry
from spikeline.simulation.field.geometry import SegmentGeometry


def ball_and_stick_geometry(n_segments: int = 24, length_um: float = 300.0) -> SegmentGeometry:
    """A soma of 15 um and a dendrite along y."""
    edges = np.linspace(7.5, 7.5 + length_um, n_segments)
    start, end = np.zeros((n_segments, 3)), np.zeros((n_segments, 3))
    start[0, 1], end[0, 1] = -7.5, 7.5
    start[1:, 1], end[1:, 1] = edges[:-1], edges[1:]
    diameter = np.r_[15.0, np.full(n_segments - 1, 2.0)]
    return SegmentGeometry(start, end, diameter, np.arange(n_segments) == 0)


def spike_current_na(sampling_rate_hz: float, amplitude_na: float) -> np.ndarray:
    """Membrane current of a somatic spike, -2 to 6 ms: a sharp sink, then a broad source."""
    t = np.arange(round(-2e-3 * sampling_rate_hz), round(6e-3 * sampling_rate_hz)) / sampling_rate_hz * 1e3
    return amplitude_na * (-np.exp(-0.5 * (t / 0.15) ** 2) + 0.35 * np.exp(-0.5 * ((t - 0.8) / 0.4) ** 2))


def make_entry(
    cell: str = "cell_a",
    seed: int = 0,
    *,
    variant: str = "v000",
    duration_s: float = 8.0,
    sampling_rate_hz: float = 10_000.0,
    rate_hz: float = 8.0,
    amplitude_na: float = 6.0,
    rank: int = 6,
) -> BankEntry:
    """An entry of rank ``rank``, its spikes smaller after short intervals."""
    rng = np.random.default_rng([seed, *cell.encode()])
    geometry = ball_and_stick_geometry()
    n_samples = round(duration_s * sampling_rate_hz)
    gaps = 0.006 + rng.exponential(1 / rate_hz - 0.006, int(3 * rate_hz * duration_s) + 10)
    times = 0.02 + np.cumsum(gaps)
    spikes = np.rint(times[times < duration_s - 0.02] * sampling_rate_hz).astype(np.int64)
    soma = np.zeros(n_samples)
    shape = spike_current_na(sampling_rate_hz, amplitude_na)
    before = round(2e-3 * sampling_rate_hz)
    for spike, gap in zip(spikes, np.diff(spikes / sampling_rate_hz, prepend=-1.0), strict=True):
        soma[spike - before : spike - before + len(shape)] += shape * (1 - 0.4 * np.exp(-gap / 0.02))
    slow = np.cumsum(rng.normal(size=(rank - 1, n_samples)), axis=1) * 1e-3
    slow -= slow.mean(axis=1, keepdims=True)
    returns = np.exp(-np.arange(geometry.n_segments - 1) / 4.0)
    spatial = np.zeros((geometry.n_segments, rank))
    spatial[0, 0], spatial[1:, 0] = 1, -returns / returns.sum()
    spatial[:, 1:] = 0.2 * rng.normal(size=(geometry.n_segments, rank - 1))
    spatial[:, 1:] -= spatial[:, 1:].mean(axis=0)
    temporal = np.concatenate([soma[None], slow])
    scale = np.abs(temporal).max(axis=1) / 32767
    coefficients = np.rint(temporal / scale[:, None]).astype(np.int16)
    return BankEntry(
        cell=cell,
        variant=variant,
        seed=seed,
        geometry=geometry,
        basis=spatial.astype(np.float32),
        scale=scale.astype(np.float32),
        coefficients=coefficients,
        spike_samples=spikes,
        soma_voltage_mv=np.full(n_samples, -70, np.float16),
        sampling_rate_hz=sampling_rate_hz,
    )


def make_bank(n_cells: int = 4, seeds: int = 2, **options: float) -> list[BankEntry]:
    """Entries of several cells and seeds."""
    return [make_entry(f"cell_{chr(97 + i)}", seed, **options) for i in range(n_cells) for seed in range(seeds)]
