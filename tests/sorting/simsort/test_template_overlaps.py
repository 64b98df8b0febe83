"""Overlaps of templates that share channels against those of whole templates and against planted spikes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from spikeline.sorting.simsort import template_overlaps as module
from spikeline.sorting.simsort.template_bank import TemplateBank
from spikeline.sorting.simsort.template_overlaps import UPSAMPLING, Overlaps, overlaps_with, template_overlaps
from tests.sorting.simsort.planted import cut, plant, spike_shape
from tests.sorting.simsort.sparse_templates import dense, sparse_templates

BEFORE, AFTER = 15, 25
WINDOW = BEFORE + AFTER
N_CHANNELS = 24


def of_whole_templates(templates: np.ndarray) -> np.ndarray:
    """(units, others, lags) of all pairs on all channels, by one product of spectra."""
    window = templates.shape[2]
    length = 1 << math.ceil(math.log2(4 * window))
    spectra = np.fft.rfft(templates.astype(np.float64), length)
    cross = np.einsum("jcf,kcf->kjf", spectra.conj(), spectra)
    cross[..., -1] /= 2
    lags = np.fft.irfft(cross, length * UPSAMPLING) * UPSAMPLING
    reach = window * UPSAMPLING
    return np.concatenate([lags[..., -reach:], lags[..., : reach + 1]], axis=-1)


def spread(overlaps: Overlaps, n_units: int) -> np.ndarray:
    """(units, others, lags), zeros for pairs that are not there."""
    out = np.zeros((n_units, n_units, overlaps.rows.shape[1]), np.float32)
    out[overlaps.units, overlaps.others] = overlaps.rows
    return out


@pytest.mark.parametrize("chosen", [1, 4, 16])
def test_they_are_those_of_whole_templates(chosen: int) -> None:
    channels, waveforms = sparse_templates(20, N_CHANNELS, chosen)
    expected = of_whole_templates(dense(channels, waveforms, N_CHANNELS))
    np.testing.assert_allclose(spread(template_overlaps(channels, waveforms), 20), expected, rtol=1e-6, atol=1e-6)


def test_only_pairs_that_share_channels_have_any() -> None:
    channels, waveforms = sparse_templates(40, N_CHANNELS, 3)
    overlaps = template_overlaps(channels, waveforms)
    sharing = [[j for j in range(40) if set(channels[j]) & set(channels[k])] for k in range(40)]
    assert sum(map(len, sharing)) < 40 * 40 / 2
    for k, expected in enumerate(sharing):
        part = slice(overlaps.starts[k], overlaps.starts[k + 1])
        assert overlaps.others[part].tolist() == expected and (overlaps.units[part] == k).all()
    assert overlaps.starts[-1] == len(overlaps.rows) == sum(map(len, sharing))


def test_at_whole_lags_they_are_correlations_and_interpolated_between() -> None:
    shapes = [spike_shape(unit) for unit in range(3)]
    channels, waveforms = np.tile(np.arange(4), (3, 1)), np.stack([cut(shape, BEFORE, AFTER) for shape in shapes])
    overlap = spread(template_overlaps(channels, waveforms), 3)
    lags = np.arange(-WINDOW, WINDOW + 1)
    whole = np.zeros((3, 3, len(lags)))
    for k, spike in enumerate(waveforms):
        for j, template in enumerate(waveforms):
            for index, lag in enumerate(lags):
                whole[k, j, index] = sum(
                    template[:, w] @ spike[:, w + lag] for w in range(WINDOW) if 0 <= w + lag < WINDOW
                )
    assert overlap.shape == (3, 3, 2 * WINDOW * UPSAMPLING + 1)
    np.testing.assert_allclose(overlap[..., ::UPSAMPLING], whole, atol=1e-3)
    fine = np.arange(-WINDOW * UPSAMPLING, WINDOW * UPSAMPLING + 1) / UPSAMPLING
    interpolated = whole @ np.sinc(fine[None] - lags[:, None])
    np.testing.assert_allclose(overlap, interpolated, atol=0.3)  # of 300
    # and they are what the products of a planted spike are, between samples too
    bank = TemplateBank(channels, waveforms, BEFORE, np.ones(3))
    for fraction in (0.0, 0.375):
        traces = np.zeros((400, 4), np.float32)
        plant(traces, shapes[1], np.array([200 + fraction]))
        inner = np.arange(-30, 31)
        expected = overlap[1][:, np.rint((inner - fraction + WINDOW) * UPSAMPLING).astype(int)]
        np.testing.assert_allclose(bank.products(traces)[:, 200 + inner], expected, atol=3)


def test_where_some_units_change_only_their_pairs_are_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    channels, waveforms = sparse_templates(30, N_CHANNELS, 4)
    before, changed = template_overlaps(channels, waveforms), np.array([3, 17])
    new = waveforms.copy()
    new[changed] = sparse_templates(2, N_CHANNELS, 4, seed=1)[1]
    computed, rows = [], module._rows

    def counted(channels: np.ndarray, waveforms: np.ndarray, units: np.ndarray, others: np.ndarray) -> np.ndarray:
        computed.extend(zip(units.tolist(), others.tolist(), strict=True))
        return rows(channels, waveforms, units, others)

    monkeypatch.setattr(module, "_rows", counted)
    old_rows = before.rows.copy()
    after = overlaps_with(before, channels, new, changed)
    np.testing.assert_array_equal(before.rows, old_rows)  # other blocks use them
    assert 0 < len(computed) < len(before.rows) / 4 and all({3, 17} & set(pair) for pair in computed)
    anew = template_overlaps(channels, new)
    for name in ("units", "others", "starts", "rows"):
        np.testing.assert_array_equal(getattr(after, name), getattr(anew, name))


def test_more_pairs_than_are_worked_on_at_once_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    channels, waveforms = sparse_templates(12, N_CHANNELS, 4)
    usual = template_overlaps(channels, waveforms)
    monkeypatch.setattr(module, "_AT_ONCE", 5)
    np.testing.assert_array_equal(template_overlaps(channels, waveforms).rows, usual.rows)
