"""Believable bank entries without NEURON: a branching cell whose spike travels from the soma along its branches."""

from __future__ import annotations

import numpy as np

from spikeline.artifacts import seed_stream
from spikeline.simulation.bank import BankEntry
from spikeline.simulation.field.geometry import SegmentGeometry

RATE_HZ = 10_000.0


def synthetic_geometry(cell: str, pyramidal: bool = False) -> SegmentGeometry:
    """A soma with seven wiggling branches; a pyramidal cell has a long one that points up."""
    stream = seed_stream(7, "test-geometry", cell)
    starts, ends, diameters = [np.array([0.0, -8.0, 0.0])], [np.array([0.0, 8.0, 0.0])], [16.0]
    for branch in range(7):
        angle = 2 * np.pi * branch / 7
        direction = np.array([np.cos(angle), np.sin(angle), 0.3 * stream.normal()])
        steps, length = 10, 14.0
        if pyramidal and branch == 0:
            direction, steps, length = np.array([0.05, 1.0, 0.0]), 25, 28.0
        at = 8.0 * direction
        for step in range(steps):
            towards = direction + 0.35 * stream.normal(size=3)
            following = at + length * towards / np.linalg.norm(towards)
            starts.append(at), ends.append(following), diameters.append(max(0.4, 2.5 - 0.2 * step))
            at = following
    is_soma = np.arange(len(diameters)) == 0
    return SegmentGeometry(np.array(starts), np.array(ends), np.array(diameters), is_soma)


def synthetic_entry(
    cell: str = "L5_TTPC1_cADpyr232_1", seed: int = 0, seconds: float = 2.0, rank: int = 8, spikes: int = 12
) -> BankEntry:
    """An entry whose spikes are sinks at the soma, returned by the branches: the farther, the later and weaker."""
    geometry = synthetic_geometry(cell, "PC" in cell)
    stream = seed_stream(seed, "test-entry", cell)
    n_samples = round(seconds * RATE_HZ)
    peaks = (
        np.sort(stream.choice(np.arange(100, n_samples - 100, 60), size=spikes, replace=False))
        if spikes
        else np.zeros(0, np.int64)
    )
    time = np.arange(-20, 41) / 10.0
    distance = np.linalg.norm((geometry.start_um + geometry.end_um) / 2, axis=1)
    spike = np.exp(-0.5 * ((time[None] - 0.004 * distance[:, None]) / 0.22) ** 2) - 0.35 * np.exp(
        -0.5 * ((time[None] - 0.9 - 0.004 * distance[:, None]) / 0.5) ** 2
    )
    spike *= np.exp(-distance / 60.0)[:, None]
    spike[0] = -1.0 * spike[1:].sum(axis=0)  # no net current leaves the cell
    spike *= 4.0 / np.abs(spike[0]).max()
    left, values, right = np.linalg.svd(spike, full_matrices=False)
    basis = left[:, :rank].astype(np.float32)
    components = (
        0.002 * values[:rank, None] * stream.normal(size=(rank, n_samples))
    )  # below threshold the cell is not still
    voltage = -70.0 + 2.0 * np.cumsum(stream.normal(size=n_samples)) / np.sqrt(n_samples)
    for peak in peaks:
        components[:, peak - 20 : peak + 41] += values[:rank, None] * right[:rank]
        voltage[peak - 20 : peak + 41] += 100.0 * np.exp(-0.5 * (time / 0.4) ** 2)
    scale = np.maximum(np.abs(components).max(axis=1), 1e-6) / 32000
    return BankEntry(
        cell=cell,
        variant="v000",
        seed=seed,
        geometry=geometry,
        basis=basis,
        scale=scale.astype(np.float32),
        coefficients=np.round(components / scale[:, None]).astype(np.int16),
        spike_samples=peaks.astype(np.int64),
        soma_voltage_mv=voltage.astype(np.float16),
        sampling_rate_hz=RATE_HZ,
        error={"max_error_uv": 0.31, "rms_error_percent": 0.12, "bound_uv_at_20um": 0.9, "rank": float(rank)},
        facts={"rheobase_na": 0.21, "rate_hz": spikes / seconds},
    )
