"""Synthetic recordings with known spikes: from bank entries and settings to a recording and its ground truth."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import probeinterface
from numpy.typing import ArrayLike
from spikeinterface.core import NumpySorting

from spikeline.artifacts import seed_stream
from spikeline.blas import one_blas_thread
from spikeline.config.recordings import RecordingSettings
from spikeline.errors import DataError
from spikeline.simulation.bank import BankEntry
from spikeline.simulation.recordings.background import background_sources
from spikeline.simulation.recordings.drift import DRIFT_AXIS, draw_drift, drift_grid
from spikeline.simulation.recordings.events import (
    check_spike_train,
    cut_snippets,
    draw_rate,
    draw_spike_train,
    match_snippets,
)
from spikeline.simulation.recordings.labelled_recording import LabelledRecording
from spikeline.simulation.recordings.noise import noise_source
from spikeline.simulation.recordings.placement import (
    Placement,
    place_unit,
    projection_table,
)
from spikeline.simulation.recordings.probes import contact_positions, in_probe_frame, make_probe
from spikeline.simulation.recordings.recording_folder import read_recording, write_recording
from spikeline.simulation.recordings.simulated_recording import RecordingPlan, SimulatedRecording, block_length
from spikeline.simulation.recordings.sources import (
    EVENT_PHASES,
    ContinuousSource,
    EventSource,
    Motion,
    continuous_source,
    event_source,
)

__all__ = ["LabelledRecording", "make_recording", "read_recording", "write_recording"]

# Components of a unit that together never exceed this on any channel are not computed.
_UNIT_TOLERANCE_UV = 0.01


def _checked_entries(
    entries: Sequence[BankEntry], allowed_cells: Collection[str] | None, split: str
) -> list[BankEntry]:
    if not entries:
        raise DataError("no bank entries", "at least one", f"simulate the cells of the {split} split first")
    names = [e.name for e in entries]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise DataError(
            f"{', '.join(twice)} given twice", "each bank entry once", "two units from one entry would fire together"
        )
    if allowed_cells is not None:
        foreign = sorted({e.cell for e in entries} - set(allowed_cells))
        if foreign:
            raise DataError(
                f"{', '.join(foreign)} for a recording of the {split} split",
                f"cells of that split only: {', '.join(sorted(allowed_cells))}",
                "sets are split by cell model; pass the right entries, or edit simulation.cells.train and test",
            )
    return sorted(entries, key=lambda e: e.name)


def _check_one_rate(entries: Sequence[BankEntry]) -> None:
    rates = sorted({e.sampling_rate_hz for e in entries})
    if len(rates) > 1:
        raise DataError(
            f"bank entries at {rates} Hz", "one sampling rate", "simulate the whole bank with one integration.dt_ms"
        )


def _window_start(entry: BankEntry, n_needed: int, rng: np.random.Generator) -> int:
    if n_needed > entry.n_samples:
        raise DataError(
            f"{entry.name} lasts {entry.duration_s:g} s, the recording {n_needed / entry.sampling_rate_hz:g} s",
            "bank entries at least as long as the recording (continuous drive)",
            "raise simulation.bank.duration_s, lower duration_s of the recording, or set drive: events",
        )
    return int(rng.integers(entry.n_samples - n_needed + 1))


def _spikes_in_window(entry: BankEntry, first: int, ratio: float, n_samples: int) -> np.ndarray:
    samples = np.rint((np.asarray(entry.spike_samples) - first) * ratio).astype(np.int64)
    return samples[(samples >= 0) & (samples < n_samples)]


@dataclass(frozen=True)
class _Unit:
    entry: BankEntry
    placement: Placement
    source: ContinuousSource | EventSource
    spikes: np.ndarray


def _units(
    entries: Sequence[BankEntry],
    settings: RecordingSettings,
    seed: int,
    name: str,
    contacts: np.ndarray,
    grid: np.ndarray,
    conductivity: float,
    trains: Sequence[np.ndarray] | None,
    spare: Sequence[BankEntry],
) -> list[_Unit]:
    rng = seed_stream(seed, "recording-units", name)
    rate, bank_rate = settings.sampling_rate_hz, entries[0].sampling_rate_hz
    n_samples = round(settings.duration_s * rate)
    n_bank = int(np.ceil(n_samples * bank_rate / rate))
    # A caller's trains belong to the caller's entries, in their order; otherwise the draw decides.
    order = list(entries) if trains is not None else [entries[i] for i in rng.permutation(len(entries))]
    continuous = settings.drive == "continuous"
    if continuous and len({e.name for e in [*order, *spare]}) < settings.units:
        raise DataError(
            f"{len({e.name for e in [*order, *spare]})} bank entries for {settings.units} units",
            "an entry of its own for every unit (continuous drive)",
            "raise simulation.bank.seeds or simulation.cells.variants.count, ask for fewer units, or set drive: events",
        )
    if trains is None:
        order += spare
    units: list[_Unit] = []
    refused: list[str] = []
    while len(units) < settings.units and order:
        entry = order.pop(0)
        if continuous and any(u.entry.name == entry.name for u in units):
            continue
        first = _window_start(entry, n_bank, rng) if continuous else 0
        if len(entry.spike_samples) == 0:
            refused.append(f"{entry.name} is silent")
            continue
        taken = np.array([u.placement.position_um for u in units]).reshape(-1, 3)
        placement, largest = place_unit(entry, contacts, settings.placement, rng, taken, conductivity)
        if placement is None:
            refused.append(f"{entry.name} reaches {largest:.0f} uV")
            if trains is not None:
                break  # the next entry would play this one's spikes
            continue
        table = projection_table(entry, placement.rotation, placement.position_um, contacts, grid, conductivity)
        if continuous:
            spikes = _spikes_in_window(entry, first, rate / bank_rate, n_samples)
            source = continuous_source(entry.coefficients, entry.scale, table, first, tolerance_uv=_UNIT_TOLERANCE_UV)
        else:
            order.append(entry)  # events may use a cell again: its train, place and rotation differ
            stream = seed_stream(seed, "recording-spike-train", f"{name}/{len(units)}")
            if trains is None:
                train = draw_spike_train(
                    draw_rate(settings.spike_trains, stream), settings.duration_s, settings.spike_trains, stream
                )
            else:
                train = trains[len(units)]
            snippets = cut_snippets(entry, settings.spike_trains.snippet_ms)
            which = match_snippets(train, snippets.preceding_interval_s, stream)
            source = event_source(snippets.components, snippets.centre, table, train, which, rate)
            spikes = np.clip(np.rint(source.times / EVENT_PHASES).astype(np.int64), 0, n_samples - 1)
        units.append(_Unit(entry, placement, source, spikes))
    if len(units) < settings.units:
        raise DataError(
            f"only {len(units)} of {settings.units} units could be placed ({'; '.join(refused)})",
            f"a mean spike of at least {settings.placement.minimum_amplitude_uv:g} uV peak to peak at "
            f"{settings.placement.distance_um[0]:g}-{settings.placement.distance_um[1]:g} um",
            "lower placement.minimum_amplitude_uv or placement.distance_um, or simulate more cells",
        )
    return units


def make_recording(
    entries: Sequence[BankEntry],
    settings: RecordingSettings,
    seed: int,
    name: str,
    *,
    background: Sequence[BankEntry] | None = None,
    allowed_cells: Collection[str] | None = None,
    spike_trains: Sequence[ArrayLike] | None = None,
    conductivity_s_per_m: float = 0.3,
) -> LabelledRecording:
    """A lazy recording of bank entries, with its ground truth.

    Units, their places, the drift, the background and the noise are drawn from streams named after ``name``, so that
    changing one setting leaves the others' draws alone, and the order of ``entries`` counts only with ``spike_trains``.

    Parameters
    ----------
    entries
        Bank entries to choose from, of one sampling rate. Continuous drive: no entry serves two units, each plays a
        window of its own.
    settings
        The recording.
    seed
        The run's root seed.
    name
        Name of the recording.
    background
        Entries the background is made of; one of them also steps in where an entry of ``entries`` is too weak to be
        placed. None: the entries that no unit uses.
    allowed_cells
        Cell models of the recording's split; any other is refused. None: no check.
    spike_trains
        Events drive only: spike times in s, one rising array per unit, instead of drawn trains. Train i is played by
        entry i, in the order given; with more trains than entries, the entries serve again in turn.
    conductivity_s_per_m
        Conductivity of the tissue, S/m.

    Raises
    ------
    DataError
        If entries are missing, doubled, of the wrong split, of different rates or too short, if units cannot be
        placed, or if a given spike train is not usable.
    """
    given = list(entries)
    entries = _checked_entries(given, allowed_cells, settings.split)
    spare = _checked_entries(background, allowed_cells, settings.split) if background else []
    _check_one_rate([*entries, *spare])
    trains = None
    if spike_trains is not None:
        if settings.drive != "events":
            raise DataError(
                "spike trains for a continuous drive",
                "drive: events",
                "set drive: events, or leave the spike trains out",
            )
        if len(spike_trains) != settings.units:
            raise DataError(
                f"{len(spike_trains)} spike trains for {settings.units} units",
                "one per unit",
                "set units to their number",
            )
        trains = [check_spike_train(t, settings.duration_s, i) for i, t in enumerate(spike_trains)]
        entries = given
    with one_blas_thread():  # many small products: threads would only wait for each other
        return _make(entries, spare, settings, seed, name, trains, conductivity_s_per_m)


def _make(
    entries: Sequence[BankEntry],
    spare: Sequence[BankEntry],
    settings: RecordingSettings,
    seed: int,
    name: str,
    trains: Sequence[np.ndarray] | None,
    conductivity_s_per_m: float,
) -> LabelledRecording:
    probe = make_probe(settings.probe)
    contacts = contact_positions(probe)
    rate, bank_rate = settings.sampling_rate_hz, entries[0].sampling_rate_hz
    drift = draw_drift(settings.drift, settings.duration_s, seed, name)
    grid = drift_grid(drift, settings.drift.step_um)
    units = _units(entries, settings, seed, name, contacts, grid, conductivity_s_per_m, trains, spare)
    far, far_variance = background_sources(
        spare or entries, {u.entry.name for u in units}, settings, seed, name, contacts, grid, conductivity_s_per_m
    )
    level = float(np.sqrt(max(settings.noise.level_uv**2 - far_variance, 0.0)))
    block = block_length(len(contacts))
    plan = RecordingPlan(
        sources=[*(u.source for u in units), *far],
        n_channels=len(contacts),
        n_samples=round(settings.duration_s * rate),
        sampling_rate_hz=rate,
        bank_rate_hz=bank_rate,
        motion=None if drift is None else Motion(drift, grid),
        noise=noise_source(settings.noise.colour, level, len(contacts), rate, block, seed, name) if level > 0 else None,
        block=block,
    )
    recording = SimulatedRecording(plan)
    recording.set_probe(probe)
    sorting = NumpySorting.from_unit_dict([{i: u.spikes for i, u in enumerate(units)}], sampling_frequency=rate)
    return LabelledRecording(
        recording,
        sorting,
        probe,
        _unit_table(units, contacts, probe, settings.noise.level_uv),
        contacts,
        drift,
        background_share=far_variance / settings.noise.level_uv**2 if far else 0.0,
    )


def _unit_table(
    units: Sequence[_Unit], contacts: np.ndarray, probe: probeinterface.Probe, noise_uv: float
) -> pd.DataFrame:
    rows = []
    for i, unit in enumerate(units):
        x, y, z = in_probe_frame(unit.placement.position_um[None], probe)[0]
        best = unit.placement.best_channel
        peak = np.abs(unit.placement.spike_uv[best]).max()
        rows.append(
            {
                "unit_id": i,
                "cell": unit.entry.cell,
                "variant": unit.entry.variant,
                "seed": unit.entry.seed,
                "x_um": x,
                "y_um": y,
                "z_um": z,
                "depth_um": float(unit.placement.position_um @ DRIFT_AXIS),
                "distance_um": float(np.linalg.norm(contacts - unit.placement.position_um, axis=1).min()),
                "peak_to_peak_uv": unit.placement.peak_to_peak_uv,
                "peak_over_noise_level": peak / noise_uv if noise_uv > 0 else np.nan,
                "n_spikes": len(unit.spikes),
                "best_channel": best,
            }
        )
    return pd.DataFrame(rows)
