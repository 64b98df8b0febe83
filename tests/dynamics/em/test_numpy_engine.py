import numpy as np
import pytest

from spikeline.artifacts import seed_stream
from spikeline.dynamics.em.numpy_engine import NumpyEngine
from tests.dynamics.em.engine_checks import (
    assert_same_expectation,
    reference_expectation,
    reference_log_likelihoods,
)
from tests.dynamics.em.mixtures import SIZES, data_of, mixture_of


@pytest.mark.parametrize("lengths", [None, "several"])
@pytest.mark.parametrize("size", SIZES)
def test_as_one_trajectory_after_the_other(size, lengths):
    mixture = mixture_of(0, *size)
    if lengths is not None:
        lengths = seed_stream(1, "test-engine").integers(1, 15, size=9)
        lengths[:3] = 1, 14, 14
    data = data_of(mixture, 2, 9, 14, lengths)
    engine = NumpyEngine(data)
    assert_same_expectation(engine.expectation(mixture), reference_expectation(data, mixture), 1e-11)
    np.testing.assert_allclose(
        engine.component_log_likelihoods(mixture), reference_log_likelihoods(data, mixture), rtol=1e-12, atol=1e-12
    )


def test_chunks_change_nothing_but_rounding():
    mixture = mixture_of(3, 2, 1, 3)
    data = data_of(mixture, 4, 12, 10, np.array([10, 3, 10, 7, 7, 1, 2, 10, 9, 9, 9, 4]))
    whole = NumpyEngine(data).expectation(mixture)
    for numbers in (1, 10 * 2 * 3 * 5):
        assert_same_expectation(NumpyEngine(data, chunk_numbers=numbers).expectation(mixture), whole, 1e-12)


def test_an_engine_can_be_used_again_for_mixtures_of_another_size():
    small, large = mixture_of(5, 1, 2, 2), mixture_of(6, 4, 2, 2, components=5)
    data = data_of(small, 7, 6, 12)
    engine = NumpyEngine(data, chunk_numbers=60)
    for mixture in (small, large, small):
        assert_same_expectation(engine.expectation(mixture), NumpyEngine(data).expectation(mixture), 1e-12)
