"""Random spike trains and small recordings for the tests of this room."""

from __future__ import annotations

import numpy as np
import probeinterface
import spikeinterface as si

from spikeline.artifacts import seed_stream
from spikeline.sorting.sorting_file import make_sorting

RATE_HZ = 10_000.0


def tetrode(half_um: float = 6.5) -> probeinterface.Probe:
    """Four contacts at the corners of a square."""
    probe = probeinterface.Probe(ndim=2, si_units="um")
    probe.set_contacts(
        half_um * np.array([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]]), shape_params={"radius": 3.0}
    )
    probe.set_device_channel_indices(np.arange(4))
    return probe


def recording_of(traces: np.ndarray, rate_hz: float = RATE_HZ, probe: bool = True) -> si.NumpyRecording:
    """A recording in uV from (n_samples, n_channels) traces."""
    recording = si.NumpyRecording([traces], sampling_frequency=rate_hz)
    if probe:
        recording.set_probe(tetrode())
    recording.set_channel_gains(1.0)
    recording.set_channel_offsets(0.0)
    return recording


def synthetic_tetrode(
    duration_s: float, rates_hz: tuple[float, ...] = (9.0, 6.0, 4.0), seed: int = 3
) -> tuple[si.NumpyRecording, si.NumpySorting]:
    """White noise of 8 uV and units of 90-160 uV that differ in where they are largest; refractory period 3 ms."""
    stream = seed_stream(seed, "test-tetrode")
    n_samples = round(duration_s * RATE_HZ)
    traces = stream.normal(0, 8.0, (n_samples, 4))
    time = np.arange(-10, 25)
    samples, index = [], []
    for unit, rate in enumerate(rates_hz):
        intervals = 0.003 + stream.exponential(1 / rate - 0.003, size=round(3 * duration_s * rate) + 10)
        train = np.round(np.cumsum(intervals) * RATE_HZ).astype(int)
        train = train[(train > 40) & (train < n_samples - 40)]
        width = 2.0 + 1.2 * unit
        shape = -np.exp(-((time / width) ** 2)) + 0.35 * np.exp(-(((time - 3 * width) / (2 * width)) ** 2))
        gains = np.roll(np.array([1.0, 0.55, 0.3, 0.2]), unit) * (160.0 - 25 * unit)
        for spike in train:
            traces[spike + time] += shape[:, None] * gains
        samples.append(train), index.append(np.full(len(train), unit))
    truth = make_sorting(
        np.concatenate(samples), np.concatenate(index), [str(i) for i in range(len(rates_hz))], RATE_HZ
    )
    return recording_of(traces.astype(np.float32)), truth


def random_sorting(
    stream: np.random.Generator, n_units: int, n_samples: int, spikes_per_unit: int, rate_hz: float = RATE_HZ
) -> si.NumpySorting:
    """Uniformly random spikes, bursts and simultaneous spikes of two units included; the last unit may be empty."""
    counts = stream.integers(0, 2 * spikes_per_unit + 1, size=n_units)
    samples = [np.unique(stream.integers(0, n_samples, size=count)) for count in counts]
    index = np.repeat(np.arange(n_units), [len(train) for train in samples])
    return make_sorting(np.concatenate([np.empty(0, int), *samples]), index, [f"u{i}" for i in range(n_units)], rate_hz)
