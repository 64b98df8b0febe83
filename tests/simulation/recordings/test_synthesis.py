"""The engine against direct line-source products, and its invariances; numpy against torch."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import scipy.signal
import torch

from spikeline.config.recordings import DriftSettings, ProbeSettings
from spikeline.errors import DataError
from spikeline.simulation.field.line_source import line_source_matrix
from spikeline.simulation.recordings.device_arrays import DeviceArrays
from spikeline.simulation.recordings.drift import draw_drift, drift_grid
from spikeline.simulation.recordings.events import cut_snippets
from spikeline.simulation.recordings.interpolation import interpolation_table, interpolator
from spikeline.simulation.recordings.placement import draw_rotation, projection, projection_table
from spikeline.simulation.recordings.probes import contact_positions, make_probe
from spikeline.simulation.recordings.sources import (
    EVENT_PHASES,
    LOOP_SEAM,
    ContinuousSource,
    EventSource,
    Motion,
    background_source,
    continuous_source,
    event_source,
    kept_components,
)
from spikeline.simulation.recordings.synthesis import Synthesiser, synthesise
from spikeline.simulation.recordings.synthesis_torch import TorchSynthesiser
from tests.simulation.recordings_fixtures import make_entry

TETRODE = contact_positions(make_probe(ProbeSettings()))
BANK_RATE = 10_000.0
POSITION = np.array([18.0, 10.0, 12.0])


def still(cell: str = "cell_a", seed: int = 0, first: int = 2000, position: np.ndarray = POSITION) -> ContinuousSource:
    entry = make_entry(cell, seed)
    table = projection_table(entry, np.eye(3), position, TETRODE, np.zeros(1))
    return continuous_source(entry.coefficients, entry.scale, table, first)


def options(rate: float = BANK_RATE, motion: Motion | None = None) -> dict:
    return {"n_channels": 4, "plan": interpolator(BANK_RATE, rate), "bank_rate_hz": BANK_RATE, "motion": motion}


def moving(grid: np.ndarray) -> ContinuousSource:
    entry = make_entry()
    return continuous_source(
        entry.coefficients, entry.scale, projection_table(entry, np.eye(3), POSITION, TETRODE, grid), 0
    )


def drifting() -> Motion:
    drift = draw_drift(DriftSettings(kind="slow_and_jumps", period_s=2.0, jump_interval_s=0.5), 4.0, 5, "a")
    return Motion(drift, drift_grid(drift, 1.0))


def pasted(rate: float, grid: np.ndarray | None = None, count: int = 40) -> EventSource:
    entry = make_entry()
    snippets = cut_snippets(entry, (-3.0, 5.0))
    rng = np.random.default_rng(4)
    table = projection_table(entry, np.eye(3), POSITION, TETRODE, np.zeros(1) if grid is None else grid)
    train = np.sort(rng.uniform(0, 2.0, count))
    return event_source(
        snippets.components, snippets.centre, table, train, rng.integers(len(snippets.components), size=count), rate
    )


def test_continuous_drive_equals_line_source_times_currents(rng: np.random.Generator) -> None:
    entry, rotation = make_entry(), draw_rotation("uniform", rng)
    table = projection_table(entry, rotation, POSITION, TETRODE, np.zeros(1))
    source = continuous_source(entry.coefficients, entry.scale, table, 2000)
    matrix = line_source_matrix(entry.geometry.moved(rotation, POSITION), TETRODE)
    direct = (matrix @ entry.currents(2500, 7500)).T
    np.testing.assert_allclose(
        synthesise([source], 5000, start=500, **options()), direct, atol=2e-6 * 1e2 * np.abs(direct).max()
    )


@pytest.mark.parametrize("kind", ["linear", "neuropixels"])
def test_many_channels_and_many_units(kind: str, rng: np.random.Generator) -> None:
    """Both ways of multiplying, the one for few channels and the one for many, at ranks that do not divide by four."""
    contacts = contact_positions(make_probe(ProbeSettings(kind=kind, channels=30 if kind == "linear" else 70)))
    entries = [make_entry(f"cell_{i}", duration_s=1.0, rank=3 + i) for i in range(4)]
    sources, direct = [], 0.0
    for entry in entries:
        position = np.array([30.0, rng.uniform(0, 300), 10.0])
        table = projection_table(entry, np.eye(3), position, contacts, np.zeros(1))
        sources.append(continuous_source(entry.coefficients, entry.scale, table, 0))
        direct = direct + (line_source_matrix(entry.geometry.moved(None, position), contacts) @ entry.currents()).T
    made = synthesise(sources, 10_000, **{**options(), "n_channels": len(contacts)})
    np.testing.assert_allclose(made, direct, atol=2e-4)


def test_sources_add_up() -> None:
    one, two = still(), still("cell_b", 1, 300, np.array([-20.0, 3.0, 5.0]))
    both = synthesise([one, two], 4000, **options(30_000.0))
    apart = synthesise([one], 4000, **options(30_000.0)) + synthesise([two], 4000, **options(30_000.0))
    np.testing.assert_allclose(both, apart, atol=1e-4)


@pytest.mark.parametrize("rate", [10_000.0, 24_000.0, 30_000.0])
@pytest.mark.parametrize("drive", ["continuous", "events"])
@pytest.mark.parametrize("moves", [False, True])
def test_any_cut_gives_the_same_traces(rate: float, drive: str, moves: bool) -> None:
    motion = drifting() if moves else None
    grid = motion.grid_um if moves else np.zeros(1)
    engine = Synthesiser([moving(grid) if drive == "continuous" else pasted(rate, grid)], **options(rate, motion))
    whole = engine.traces(0, 12_000)
    edges = [0, 1, 17, 5000, 5001, 9999, 12_000]
    cut = np.concatenate([engine.traces(a, b) for a, b in itertools.pairwise(edges)])
    assert np.abs(whole).max() > 5
    np.testing.assert_allclose(cut, whole, atol=1e-4)


def test_events_at_the_banks_own_times_reproduce_the_bank() -> None:
    entry = make_entry(rate_hz=4.0)
    snippets = cut_snippets(entry, (-3.0, 5.0))
    gaps = np.diff(entry.spike_samples, append=10**9)
    alone = entry.spike_samples[(gaps > 50) & (np.diff(entry.spike_samples, prepend=-(10**9)) > 30)]
    table = projection_table(entry, np.eye(3), POSITION, TETRODE, np.zeros(1))
    events = event_source(
        snippets.components, snippets.centre, table, alone / BANK_RATE, np.arange(len(alone)), BANK_RATE
    )
    made = synthesise([events], entry.n_samples, **options())
    bank = synthesise([continuous_source(entry.coefficients, entry.scale, table, 0)], entry.n_samples, **options())
    for spike in alone:
        around = slice(spike - 24, spike + 45)
        difference = made[around] - bank[around]
        # what is left is the straight baseline
        np.testing.assert_allclose(scipy.signal.detrend(difference, axis=0), 0, atol=1e-3)


def test_sub_sample_times_shift_the_spike_by_that_much() -> None:
    entry = make_entry()
    snippets = cut_snippets(entry, (-3.0, 5.0))
    table = projection_table(entry, np.eye(3), POSITION, TETRODE, np.zeros(1))

    def at(time_s: float) -> np.ndarray:
        source = event_source(
            snippets.components, snippets.centre, table, np.array([time_s]), np.zeros(1, np.int64), 30_000.0
        )
        return synthesise([source], 900, **options(30_000.0))[:, 3]

    early, late = at(300 / 30_000), at(300.5 / 30_000)
    spectrum = np.fft.rfft(early) * np.exp(-2j * np.pi * np.fft.rfftfreq(900) * 0.5)
    np.testing.assert_allclose(np.fft.irfft(spectrum, 900), late, atol=2e-3 * np.abs(early).max())


def test_events_on_a_faster_clock_are_the_resampled_spike() -> None:
    slow, fast = pasted(BANK_RATE, count=1), pasted(30_000.0, count=1)
    # a time that both grids hold
    slow.times[:], fast.times[:] = 16 * 1000, 16 * 3000
    one, three = synthesise([slow], 2000, **options()), synthesise([fast], 6000, **options(30_000.0))
    np.testing.assert_allclose(three[::3], one, atol=1e-3)


@pytest.mark.parametrize("rate", [8_000.0, 10_000.0, 20_000.0, 24_000.0, 25_000.0, 30_000.0])
def test_pasting_is_the_sum_over_the_taps_of_both_steps(rate: float, rng: np.random.Generator) -> None:
    components = rng.normal(size=(3, 5, 61)).astype(np.float32)
    table = rng.normal(size=(1, 2, 5)).astype(np.float32)
    train, which, centre, count = np.array([0.0, 0.01003, 0.0171]), np.array([2, 0, 1]), 30, 400
    source = event_source(components, centre, table, train, which, rate)
    plan = interpolator(10_000.0, rate)
    made = synthesise([source], count, n_channels=2, plan=plan, bank_rate_hz=10_000.0)
    doubling = interpolation_table(2, min(1.0, plan.up / plan.down)).astype(np.float64)
    fine = interpolation_table(EVENT_PHASES * plan.up // 2, half_width=6).astype(np.float64)
    half = doubling.shape[1] // 2
    expected = np.zeros((count, 2))
    for time, snippet in zip(source.times, components[which], strict=True):
        seen = np.pad(table[0].astype(np.float64) @ snippet, ((0, 0), (200, 200)))
        rows = [np.array([np.correlate(trace, row, "valid") for trace in seen]) for row in doubling]
        doubled = np.stack(rows, axis=2).reshape(2, -1)  # its first value lies at bank sample half - 1 - 200
        for n in range(count):
            # in rows of the fine table, of which there are two for every bank sample
            place = centre * 2 * len(fine) + (n * EVENT_PHASES - time) * plan.down
            base, row = divmod(int(place), len(fine))
            first = base - 5 + 2 * (200 - half + 1)
            if first >= 0 and first + 12 <= doubled.shape[1]:
                expected[n] += doubled[:, first : first + 12] @ fine[row]
    np.testing.assert_allclose(made, expected, atol=2e-5)


def test_snippets_kept_as_seen_change_no_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    source = pasted(30_000.0)
    kept = synthesise([source], 6000, **options(30_000.0))
    assert np.abs(kept).max() > 1
    monkeypatch.setattr("spikeline.simulation.recordings.pasting._KEPT_VALUES", 0)
    np.testing.assert_array_equal(synthesise([source], 6000, **options(30_000.0)), kept)


def test_a_pasted_wave_is_the_wave_between_the_banks_samples() -> None:
    """A tone below 0.7 of the bank's Nyquist frequency, under a smooth window: known at any time."""
    count, centre = 400, 200
    for frequency in (0.02, 0.1, 0.25, 0.35):  # cycles per bank sample

        def wave(position: np.ndarray, frequency: float = frequency) -> np.ndarray:
            return np.cos(2 * np.pi * frequency * (position - centre)) * np.exp(-(((position - centre) / 50) ** 2))

        components = wave(np.arange(count))[None, None].astype(np.float32)
        source = event_source(components, centre, np.ones((1, 1, 1)), np.array([0.03001]), np.array([0]), 30_000.0)
        made = synthesise([source], 2000, n_channels=1, plan=interpolator(10_000.0, 30_000.0), bank_rate_hz=10_000.0)
        position = centre + (np.arange(2000) - source.times[0] / EVENT_PHASES) / 3
        np.testing.assert_allclose(made[:, 0], wave(position), atol=5e-4)


def test_drift_equals_the_field_computed_at_each_place() -> None:
    motion = drifting()
    made = synthesise([moving(motion.grid_um)], 20_000, **options(motion=motion))
    entry = make_entry()
    components = entry.components()
    for sample in range(0, 20_000, 501):
        shift = motion.drift.displacement_um(np.array([sample / BANK_RATE]))[0]
        direct = projection(entry, np.eye(3), POSITION + np.array([0, shift, 0]), TETRODE) @ components[:, sample]
        np.testing.assert_allclose(made[sample], direct, rtol=5e-3, atol=0.02)


def test_events_drift_too() -> None:
    motion = drifting()
    made = synthesise([pasted(BANK_RATE, motion.grid_um)], 20_000, **options(motion=motion))
    static = synthesise([pasted(BANK_RATE)], 20_000, **options())
    assert np.abs(made - static).max() > 1


def test_reading_past_the_entry_repeats_its_edge() -> None:
    entry = make_entry(duration_s=0.5)
    table = projection_table(entry, np.eye(3), POSITION, TETRODE, np.zeros(1))
    made = synthesise([continuous_source(entry.coefficients, entry.scale, table, -10)], 5100, **options())
    np.testing.assert_array_equal(made[:10], np.broadcast_to(made[10], (10, 4)))
    np.testing.assert_array_equal(made[5010:], np.broadcast_to(made[5009], (90, 4)))


def test_background_loops_without_a_step() -> None:
    entry = make_entry(duration_s=1.0)
    table = projection_table(entry, np.eye(3), np.array([80.0, 0, 0]), TETRODE, np.zeros(1))
    source, _ = background_source(entry.coefficients, entry.scale, table, 4321, entry.moments, lost_share=0.0)
    made = synthesise([source], 30_000, **options())
    period = 10_000 - LOOP_SEAM
    np.testing.assert_allclose(made[:5000], made[period : period + 5000], atol=1e-5)
    spikes_apart = np.abs(np.diff(made, axis=0))
    seam = period - 4321 + np.arange(-5, 5)
    assert spikes_apart[seam].max() < spikes_apart.max()


def test_background_variance_is_right_and_small_components_go() -> None:
    entry = make_entry()
    table = projection_table(entry, np.eye(3), np.array([70.0, 0, 0]), TETRODE, np.zeros(1))
    source, variance = background_source(entry.coefficients, entry.scale, table, 0, entry.moments)
    made = synthesise([source], entry.n_samples, **options())
    np.testing.assert_allclose(made.var(axis=0).mean(), variance, rtol=0.02)
    np.testing.assert_allclose(made.mean(axis=0), 0, atol=0.05 * np.sqrt(variance))


def test_left_out_components_stay_below_the_bound() -> None:
    entry = make_entry(rank=20)
    table = projection_table(entry, np.eye(3), POSITION, TETRODE, np.zeros(1))
    raw = table * entry.scale
    kept = kept_components(raw, np.abs(entry.coefficients.astype(float)).max(axis=1), 0.5)
    assert 0 < len(kept) < 20
    whole = synthesise([continuous_source(entry.coefficients, entry.scale, table, 0)], 20_000, **options())
    less = synthesise(
        [continuous_source(entry.coefficients, entry.scale, table, 0, tolerance_uv=0.5)], 20_000, **options()
    )
    assert 0 < np.abs(whole - less).max() <= 0.5


def test_a_source_for_another_probe_is_refused() -> None:
    with pytest.raises(DataError, match="channels"):
        synthesise([still()], 100, **{**options(), "n_channels": 8})
    with pytest.raises(DataError, match="displacements"):
        synthesise([moving(np.arange(3.0))], 100, **options())


def test_nothing_to_synthesise_is_silence() -> None:
    assert np.all(synthesise([], 10, **options()) == 0)
    assert synthesise([still()], 0, **options()).shape == (0, 4)


@pytest.mark.parametrize("rate", [8_000.0, 10_000.0, 24_000.0, 30_000.0])
@pytest.mark.parametrize("moves", [False, True])
def test_torch_equals_numpy(rate: float, moves: bool) -> None:
    motion = drifting() if moves else None
    grid = motion.grid_um if moves else np.zeros(1)
    far = make_entry("cell_b", duration_s=0.3)
    table = projection_table(far, np.eye(3), np.array([80.0, 0, 0]), TETRODE, grid)
    sources = [
        moving(grid),
        pasted(rate, grid),
        background_source(far.coefficients, far.scale, table, 1234, far.moments)[0],
    ]
    expected = Synthesiser(sources, **options(rate, motion)).traces(900, 9000)
    made = TorchSynthesiser(sources, **options(rate, motion), arrays=DeviceArrays("cpu")).traces(900, 9000)
    assert made.dtype == torch.float32
    np.testing.assert_allclose(made.numpy(), expected, atol=2e-6 * 100 * np.abs(expected).max() / 10)
