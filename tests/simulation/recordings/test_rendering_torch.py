"""Recordings made by torch are those made by numpy, random numbers included."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal
import torch

from spikeline.config.recordings import DriftSettings, NoiseSettings, RecordingSettings
from spikeline.simulation.recordings.device_arrays import DeviceArrays
from spikeline.simulation.recordings.filters_torch import filtered_from_rest
from spikeline.simulation.recordings.noise import noise_block, noise_source
from spikeline.simulation.recordings.recording import make_recording
from spikeline.simulation.recordings.rendering_torch import noise_on, render_on
from spikeline.simulation.recordings.simulated_recording import render
from tests.simulation.recordings_fixtures import make_bank

BANK = make_bank(3, 1)
RATE = 10_000.0


@pytest.mark.parametrize("n_samples", [900, 4097])
def test_filtering_is_a_recursion_from_rest(n_samples: int, rng: np.random.Generator) -> None:
    sections = scipy.signal.butter(3, [200.0, 3000.0], "bandpass", fs=RATE, output="sos")
    samples = rng.normal(size=(n_samples, 3)).astype(np.float32)
    made = filtered_from_rest(torch.from_numpy(samples), sections, 2000)
    np.testing.assert_allclose(made.numpy(), scipy.signal.sosfilt(sections, samples, axis=0), atol=1e-5)


@pytest.mark.parametrize("colour", ["white", "pink", "coloured"])
def test_noise_is_the_same_noise(colour: str) -> None:
    """To 2e-5 of its level: where its filter counts as having forgotten, which is where blocks begin, is at 1e-5."""
    source = noise_source(colour, 8.0, 4, RATE, 4096, 3, "a")
    expected = np.concatenate([noise_block(source, index) for index in range(3)])[:10_000]
    made = noise_on(source, 10_000, "cpu")
    assert made.dtype == torch.float32 and np.abs(expected).max() > 20
    np.testing.assert_allclose(made.numpy(), expected, atol=8.0 * 2e-5)


@pytest.mark.parametrize("drive", ["events", "continuous"])
@pytest.mark.parametrize("drift", ["none", "slow_and_jumps"])
@pytest.mark.parametrize("noise_uv", [0.0, 6.0])
def test_recordings_are_the_same(drive: str, drift: str, noise_uv: float) -> None:
    settings = RecordingSettings(
        units=2,
        duration_s=3.0,
        sampling_rate_hz=RATE,
        drive=drive,
        drift=DriftSettings(kind=drift, jump_interval_s=1.0),
        noise=NoiseSettings(level_uv=noise_uv),
    )
    plan = make_recording(BANK, settings, 4, "a").recording.plan
    expected = render(plan, 1)
    made = render_on(plan, DeviceArrays("cpu"))
    assert made.shape == expected.shape and made.dtype == torch.float32
    np.testing.assert_allclose(made.numpy(), expected, atol=5e-6 * np.abs(expected).max() + noise_uv * 2e-5)
