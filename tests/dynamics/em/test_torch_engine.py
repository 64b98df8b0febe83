from dataclasses import replace

import numpy as np
import pytest
import torch

from spikeline.artifacts import seed_stream
from spikeline.config.molds import EMSettings
from spikeline.dynamics.em import affine_scan
from spikeline.dynamics.em.expectation_maximisation import fit_mixture_em
from spikeline.dynamics.em.numpy_engine import NumpyEngine
from spikeline.dynamics.em.torch_engine import TorchEngine
from spikeline.errors import ConfigError
from tests.dynamics.em.engine_checks import assert_same_expectation
from tests.dynamics.em.mixtures import SIZES, data_of, mixture_of

DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU"))]
EQUAL = {"cpu": 1e-11, "cuda": 1e-9}


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("scan", ["sequential", "associative"])
@pytest.mark.parametrize("lengths", [None, "several"])
@pytest.mark.parametrize("size", SIZES)
def test_as_in_numpy(size, lengths, scan, device):
    mixture = mixture_of(0, *size)
    if lengths is not None:
        lengths = seed_stream(1, "test-engine").integers(1, 120, size=9)
        lengths[:3] = 1, 119, 119
    data = data_of(mixture, 2, 9, 119, lengths)
    expected = NumpyEngine(data)
    for numbers in (None, 119 * size[0] * 3 * 4):
        made = TorchEngine(data, device=device, scan=scan, chunk_numbers=numbers)
        assert_same_expectation(made.expectation(mixture), expected.expectation(mixture), EQUAL[device])
    np.testing.assert_allclose(
        made.component_log_likelihoods(mixture), expected.component_log_likelihoods(mixture), rtol=EQUAL[device]
    )


@pytest.mark.parametrize("steps", [1, 2, 3, 7, 8, 33])
@pytest.mark.parametrize("kept", [1, 3, 40])
def test_both_scans_are_the_recursion(steps, kept):
    draw = seed_stream(steps, "test-scan")
    factors = 0.7 * draw.normal(size=(2, min(kept, steps), 3, 3))
    offsets = draw.normal(size=(2, steps, 4, 3))
    expected = np.empty_like(offsets)
    for k in range(2):
        for c in range(4):
            x = np.zeros(3)
            for t in range(steps):
                x = factors[k, min(t, factors.shape[1] - 1)] @ x + offsets[k, t, c]
                expected[k, t, c] = x
    for scan in (affine_scan.sequential, affine_scan.associative):
        made = scan(torch.as_tensor(factors), torch.as_tensor(offsets.copy())).numpy()
        np.testing.assert_allclose(made, expected, rtol=1e-12, atol=1e-12 * np.abs(expected).max())


@pytest.mark.parametrize("device", DEVICES)
def test_the_associative_scan_holds_for_long_trajectories(device):
    mixture = mixture_of(3, 3, 1, 2, components=2)
    data = data_of(mixture, 4, 3, 3000)
    expected = NumpyEngine(data, at_rest=0).expectation(mixture)
    for at_rest in (0, 1e-12):
        made = TorchEngine(data, device=device, scan="associative", at_rest=at_rest).expectation(mixture)
        assert_same_expectation(made, expected, 1e-9)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("noise", [1.0, 1e-6])
@pytest.mark.parametrize("size", [(3, 2, 2), (2, 1, 8)])
def test_single_precision_is_as_near_as_it_says(size, noise, device):
    mixture = mixture_of(5, *size)
    mixture = replace(mixture, systems=tuple(replace(s, R=s.R * noise) for s in mixture.systems))
    data = data_of(mixture, 6, 20, 200)
    exact = NumpyEngine(data).expectation(mixture)
    single = TorchEngine(data, device=device, dtype="float32")
    made = single.expectation(mixture)
    assert_same_expectation(made, exact, 2e-5)
    per_number = np.abs(made.log_likelihoods - exact.log_likelihoods).max() / data.outputs[0].size
    assert 0 < per_number < 0.2 * single.rounding


@pytest.mark.parametrize("device", DEVICES)
def test_a_fit_in_single_precision_is_as_near(device):
    mixture = mixture_of(5, 2, 1, 4, components=2)
    data = data_of(mixture, 6, 30, 50)
    settings = EMSettings(engine="numpy", acceleration="none", most_iterations=20, tolerance=0.0)
    exact = fit_mixture_em(data, mixture, settings)
    single = fit_mixture_em(data, mixture, settings, engine=TorchEngine(data, device=device, dtype="float32"))
    np.testing.assert_allclose(single.mixture.responses(6), exact.mixture.responses(6), atol=1e-4)
    np.testing.assert_allclose(single.log_likelihoods, exact.log_likelihoods, rtol=0, atol=1e-6 * data.outputs.size)


def test_a_gpu_that_is_not_there_is_named():
    if torch.cuda.is_available():
        pytest.skip("there is one")
    data = data_of(mixture_of(0, 2, 1, 1), 1, 3, 5)
    with pytest.raises(ConfigError, match="device: cuda"):
        TorchEngine(data, device="cuda")
