"""Products of templates with traces are plain correlations, whether on few channels of many or on all."""

from __future__ import annotations

import numpy as np
import pytest

from spikeline.sorting.simsort.template_bank import TemplateBank
from tests.sorting.simsort.planted import noise
from tests.sorting.simsort.sparse_templates import dense, sparse_templates

BEFORE, AFTER = 15, 25


def bank_of(n_channels: int, chosen: int, n_units: int = 7, seed: int = 0) -> TemplateBank:
    return TemplateBank(*sparse_templates(n_units, n_channels, chosen, seed=seed), BEFORE, np.ones(n_units))


@pytest.mark.parametrize(("n_channels", "chosen"), [(1, 1), (4, 4), (16, 16), (17, 16), (60, 16), (60, 5)])
def test_products_are_correlations_on_all_channels(n_channels: int, chosen: int) -> None:
    bank, traces = bank_of(n_channels, chosen), noise(700, n_channels)
    padded = np.pad(traces.astype(np.float64), ((BEFORE, AFTER - 1), (0, 0)))
    products = bank.products(traces)
    assert products.shape == (7, 700) and products.dtype == np.float32
    for unit, template in enumerate(dense(bank.channels, bank.waveforms, n_channels)):
        expected = sum(np.correlate(padded[:, channel], row, "valid") for channel, row in enumerate(template))
        np.testing.assert_allclose(products[unit], expected, atol=1e-4)
    np.testing.assert_allclose(bank.energy, (bank.waveforms.astype(np.float64) ** 2).sum(axis=(1, 2)), rtol=1e-6)


def test_a_sample_has_the_same_product_in_every_block() -> None:
    bank, traces = bank_of(40, 16), noise(2000, 40)
    whole = bank.products(traces)
    for start, stop in ((0, 411), (1, 1002), (777, 2000)):
        inner = slice(AFTER, stop - start - AFTER)
        np.testing.assert_array_equal(bank.products(traces[start:stop])[:, inner], whole[:, start:stop][:, inner])


def test_other_waveforms_make_the_bank_that_has_them() -> None:
    bank, units = bank_of(60, 16), np.array([1, 4])
    other = sparse_templates(2, 60, 16, seed=1)[1]
    changed = bank.with_waveforms(units, other)
    waveforms = bank.waveforms.copy()
    waveforms[units] = other
    expected = TemplateBank(bank.channels, waveforms, BEFORE, np.ones(7))
    for name in ("channels", "waveforms", "energy", "log_odds", "before"):
        np.testing.assert_array_equal(getattr(changed, name), getattr(expected, name))
    np.testing.assert_array_equal(changed.overlaps.rows, expected.overlaps.rows)
    assert not np.array_equal(bank.waveforms, waveforms)
