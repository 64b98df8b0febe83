import numpy as np
import pytest
from numpy.testing import assert_allclose

from spikeline.dynamics.em.data_products import DataProducts
from spikeline.dynamics.em.shared_work import SharedWork

N, T, M, Q = 1030, 7, 2, 3  # two pieces of work


@pytest.fixture(scope="module")
def data():
    draw = np.random.default_rng(0)
    inputs, outputs = draw.normal(size=(N, T, M)), draw.normal(size=(N, T, Q))
    lengths = draw.integers(1, T + 1, N)
    inside = (np.arange(T) < lengths[:, None])[..., None]
    w = np.concatenate([outputs, inputs], axis=2) * inside
    last = inputs[np.arange(N), lengths - 1]
    return DataProducts(inputs, outputs, lengths, SharedWork(2)), w, last, lengths


def test_quadratic_forms_are_those_of_each_trajectory(data):
    products, w, _, _ = data
    forms = np.random.default_rng(1).normal(size=(4, Q + M, Q + M))
    forms = forms + forms.swapaxes(1, 2)
    assert_allclose(products.quadratic(forms), np.einsum("nta,kab,ntb->nk", w, forms, w), rtol=1e-10, atol=1e-12)


def test_weighted_sums_leave_small_weights_out(data):
    products, w, last, _ = data
    weights = np.random.default_rng(2).uniform(size=(N, 2))
    counted = np.where(weights >= 0.5, weights, 0.0)
    squares, of_last = products.weighted(weights, 0.5)
    assert_allclose(squares, np.einsum("nk,nta,ntb->kab", counted, w, w), atol=1e-10)
    assert_allclose(of_last, np.einsum("nk,na,nb->kab", counted, last, last), atol=1e-10)


def test_signal_is_measured_against_the_smallest_noise(data):
    products, w, _, lengths = data
    noise = np.stack([np.eye(Q), 0.01 * np.eye(Q)])
    expected = 100 * (w[..., :Q] ** 2).sum() / (lengths.sum() * Q)
    assert products.signal_over(noise) == pytest.approx(expected)


def test_without_inputs_there_is_nothing_of_a_last_step():
    outputs = np.ones((2, 3, 1))
    products = DataProducts(np.empty((2, 3, 0)), outputs, np.array([3, 2]), SharedWork(1))
    squares, of_last = products.weighted(np.ones((2, 1)), 0.0)
    assert squares.tolist() == [[[5.0]]] and of_last.shape == (1, 0, 0)
