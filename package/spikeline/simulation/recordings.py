"""Synthetic recordings with known spikes: from bank entries and settings to a recording, its ground truth, and back from the disk."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import probeinterface
from spikeinterface.core import BaseRecording, BaseSorting, BinaryFolderRecording, BinaryRecordingExtractor, NumpySorting, load
from spikeinterface.core.core_tools import SIJsonEncoder
from spikeinterface.core.sortingfolder import NumpyFolderSorting

from spikeline.artifacts import Provenance, atomic_folder, read_manifest, seed_stream, write_manifest
from spikeline.config.recordings import RecordingSettings
from spikeline.errors import DataError, FormatError
from spikeline.simulation.bank import BankEntry
from spikeline.simulation.drift import DRIFT_AXIS, Drift, draw_drift, drift_grid
from spikeline.simulation.events import check_spike_train, cut_snippets, draw_rate, draw_spike_train, match_snippets
from spikeline.simulation.noise import noise_source
from spikeline.simulation.placement import Placement, place_background, place_unit, projection_table
from spikeline.simulation.probes import contact_positions, in_probe_frame, make_probe
from spikeline.simulation.simulated_recording import RecordingPlan, SimulatedRecording, block_length, recording_blocks
from spikeline.simulation.synthesis import (
    EVENT_PHASES, ContinuousSource, EventSource, Motion, background_source, continuous_source, event_source,
)  # fmt: skip

__all__ = ["GAIN_UV", "RECORDING_SCHEMA", "LabelledRecording", "make_recording", "read_recording", "write_recording"]

RECORDING_SCHEMA = "recording"
# One bit of the written int16 samples: that of the Intan amplifiers most labs record with. The range is then +-6.39 mV, far beyond any spike
# a contact outside the cell sees, and the rounding adds 0.056 uV r.m.s. to noise of several uV.
GAIN_UV = 0.195
# Components of a unit that together never exceed this on any channel are not computed.
_UNIT_TOLERANCE_UV = 0.01


@dataclass(frozen=True)
class LabelledRecording:
    """A recording and what is known about it.

    Parameters
    ----------
    recording
        SpikeInterface recording with the probe attached.
    sorting
        Ground-truth spikes: samples of the soma-voltage peaks.
    probe
        The electrode.
    units
        One row per unit: unit_id, cell, variant, seed, n_spikes; x_um and y_um in the probe's plane and z_um away from it, depth_um along the
        tissue's depth, distance_um to the nearest contact; peak_to_peak_uv of the mean spike on best_channel, and its snr (largest
        deviation over the noise level).
    contacts_um
        (n_channels, 3) positions of the contacts in the tissue.
    drift
        Motion of the tissue, or None.
    """

    recording: BaseRecording
    sorting: BaseSorting
    probe: probeinterface.Probe
    units: pd.DataFrame
    contacts_um: np.ndarray
    drift: Drift | None = None


def _checked_entries(entries: Sequence[BankEntry], allowed_cells: Collection[str] | None, split: str) -> list[BankEntry]:
    if not entries:
        raise DataError("no bank entries", "at least one", f"simulate the cells of the {split} split first")
    names = [e.name for e in entries]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise DataError(f"{', '.join(twice)} given twice", "each bank entry once", "two units from one entry would fire together")
    if allowed_cells is not None:
        foreign = sorted({e.cell for e in entries} - set(allowed_cells))
        if foreign:
            raise DataError(
                f"{', '.join(foreign)} for a recording of the {split} split",
                f"cells of that split only: {', '.join(sorted(allowed_cells))}",
                "sets are split by cell model; pass the right bank entries or move the cell between simulation.cells.train and test",
            )
    return sorted(entries, key=lambda e: e.name)


def _check_one_rate(entries: Sequence[BankEntry]) -> None:
    rates = sorted({e.sampling_rate_hz for e in entries})
    if len(rates) > 1:
        raise DataError(f"bank entries at {rates} Hz", "one sampling rate", "simulate the whole bank with one integration.dt_ms")


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
    order = [entries[i] for i in rng.permutation(len(entries))]
    continuous = settings.drive == "continuous"
    if continuous and len({e.name for e in [*order, *spare]}) < settings.units:
        raise DataError(
            f"{len({e.name for e in [*order, *spare]})} bank entries for {settings.units} units",
            "an entry of its own for every unit (continuous drive)",
            "raise simulation.bank.seeds or simulation.cells.variants.count, ask for fewer units, or set drive: events",
        )
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
            continue
        table = projection_table(entry, placement.rotation, placement.position_um, contacts, grid, conductivity)
        if continuous:
            spikes = _spikes_in_window(entry, first, rate / bank_rate, n_samples)
            source = continuous_source(entry.coefficients, entry.scale, table, first, tolerance_uv=_UNIT_TOLERANCE_UV)
        else:
            order.append(entry)  # events may use a cell again: its train, place and rotation differ
            stream = seed_stream(seed, "recording-spike-train", f"{name}/{len(units)}")
            if trains is None:
                train = draw_spike_train(draw_rate(settings.spike_trains, stream), settings.duration_s, settings.spike_trains, stream)
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


def _background(
    entries: Sequence[BankEntry],
    used: Collection[str],
    settings: RecordingSettings,
    seed: int,
    name: str,
    contacts: np.ndarray,
    grid: np.ndarray,
    conductivity: float,
) -> list[ContinuousSource]:
    """Far units, scaled so that together they have their share of the noise variance.

    They come from entries that no unit uses, as long as there are any; an entry that must serve twice does so from another time on.
    """
    wanted_std = settings.noise.level_uv * np.sqrt(settings.noise.background_share)
    if settings.noise.background_units == 0 or wanted_std == 0:
        return []
    rng = seed_stream(seed, "recording-background", name)
    free = [e for e in entries if e.name not in used] or list(entries)
    sources, variance = [], 0.0
    order = rng.permutation(len(free))
    for i in range(settings.noise.background_units):
        entry = free[order[i % len(free)]]
        placement = place_background(contacts, settings.placement.rotation, rng)
        table = projection_table(entry, placement.rotation, placement.position_um, contacts, grid, conductivity)
        source, own = background_source(entry.coefficients, entry.scale, table, int(rng.integers(entry.n_samples)))
        sources.append(source)
        variance += own
    factor = np.float32(wanted_std / np.sqrt(variance))
    return [replace(s, projection=s.projection * factor) for s in sources]


def make_recording(
    entries: Sequence[BankEntry],
    settings: RecordingSettings,
    seed: int,
    name: str,
    *,
    background: Sequence[BankEntry] | None = None,
    allowed_cells: Collection[str] | None = None,
    spike_trains: Sequence[np.ndarray] | None = None,
    conductivity_s_per_m: float = 0.3,
) -> LabelledRecording:
    """A lazy recording of bank entries, with its ground truth.

    Units, their places, the drift, the background and the noise are drawn from streams named after ``name``, so that changing one setting
    leaves the others' draws alone, and the order of ``entries`` does not matter.

    Parameters
    ----------
    entries
        Bank entries to choose from, of one sampling rate. Continuous drive: no entry serves two units, each plays a window of its own.
    settings
        The recording.
    seed
        The run's root seed.
    name
        Name of the recording.
    background
        Entries the background is made of; one of them also steps in where an entry of ``entries`` is too weak to be placed. None: the entries
        that no unit uses.
    allowed_cells
        Cell models of the recording's split; any other is refused. None: no check.
    spike_trains
        Events drive only: spike times in s, one rising array per unit, instead of drawn trains.
    conductivity_s_per_m
        Conductivity of the tissue, S/m.

    Raises
    ------
    DataError
        If entries are missing, doubled, of the wrong split, of different rates or too short, if units cannot be placed, or if a given spike
        train is not usable.
    """
    entries = _checked_entries(entries, allowed_cells, settings.split)
    spare = _checked_entries(background, allowed_cells, settings.split) if background else []
    _check_one_rate([*entries, *spare])
    trains = None
    if spike_trains is not None:
        if settings.drive != "events":
            raise DataError("spike trains for a continuous drive", "drive: events", "set drive: events, or leave the spike trains out")
        if len(spike_trains) != settings.units:
            raise DataError(f"{len(spike_trains)} spike trains for {settings.units} units", "one per unit", "set units to their number")
        trains = [check_spike_train(t, settings.duration_s, i) for i, t in enumerate(spike_trains)]
    probe = make_probe(settings.probe)
    contacts = contact_positions(probe)
    rate, bank_rate = settings.sampling_rate_hz, entries[0].sampling_rate_hz
    drift = draw_drift(settings.drift, settings.duration_s, seed, name)
    grid = drift_grid(drift, settings.drift.step_um)
    units = _units(entries, settings, seed, name, contacts, grid, conductivity_s_per_m, trains, spare)
    far = _background(spare or entries, {u.entry.name for u in units}, settings, seed, name, contacts, grid, conductivity_s_per_m)
    level = settings.noise.level_uv * np.sqrt(1 - settings.noise.background_share if far else 1.0)
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
    return LabelledRecording(recording, sorting, probe, _unit_table(units, contacts, probe, settings.noise.level_uv), contacts, drift)


def _unit_table(units: Sequence[_Unit], contacts: np.ndarray, probe: probeinterface.Probe, noise_uv: float) -> pd.DataFrame:
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
                "snr": peak / noise_uv if noise_uv > 0 else np.nan,
                "n_spikes": len(unit.spikes),
                "best_channel": best,
            }
        )
    return pd.DataFrame(rows)


def _write_json(path: Path, document: object) -> None:
    path.write_text(json.dumps(document, indent=1, sort_keys=True, cls=SIJsonEncoder) + "\n")


def _write_traces(path: Path, made: LabelledRecording, threads: int) -> None:
    limit = np.iinfo(np.int16).max * GAIN_UV
    recording = made.recording
    if isinstance(recording, SimulatedRecording):
        blocks = recording_blocks(recording.plan, threads)
    else:
        step = int(recording.sampling_frequency)
        blocks = (
            recording.get_traces(start_frame=a, end_frame=min(a + step, recording.get_num_samples()), return_in_uV=True)
            for a in range(0, recording.get_num_samples(), step)
        )
    with path.open("wb") as file:
        for traces in blocks:
            traces = traces * np.float32(1 / GAIN_UV)
            np.rint(traces, out=traces)
            largest = max(float(traces.max()), -float(traces.min()))
            if not largest <= np.iinfo(np.int16).max:
                raise DataError(
                    f"a sample of {largest * GAIN_UV:.0f} uV",
                    f"potentials within +-{limit:.0f} uV, the range of the written samples",
                    "raise the lower bound of placement.distance_um: a contact inside or on a cell sees more than an amplifier can",
                )
            traces.astype("<i2").tofile(file)


def _write_recording_folder(folder: Path, made: LabelledRecording, threads: int) -> None:
    folder.mkdir()
    raw = folder / "traces_cached_seg0.raw"
    _write_traces(raw, made, threads)
    recording = made.recording
    n_channels = recording.get_num_channels()
    binary = BinaryRecordingExtractor(
        file_paths=[raw], sampling_frequency=float(recording.sampling_frequency), num_channels=n_channels, dtype="int16",
        channel_ids=recording.channel_ids, time_axis=0, file_offset=0, is_filtered=False,
        gain_to_uV=np.full(n_channels, GAIN_UV), offset_to_uV=np.zeros(n_channels),
    )  # fmt: skip
    binary.dump_to_json(folder / "binary.json", relative_to=folder)
    (folder / "properties").mkdir()
    for key, value in {"gain_to_uV": GAIN_UV, "offset_to_uV": 0.0}.items():
        np.save(folder / "properties" / f"{key}.npy", np.full(n_channels, value))
    _write_json(folder / "annotations.json", {"is_filtered": False})
    probeinterface.write_probeinterface(folder / "probegroup.json", recording.get_probegroup())
    BinaryFolderRecording(folder).dump_to_json(
        folder / "si_folder.json", relative_to=folder, include_properties=False, include_annotations=False, include_extra_metadata=False
    )


def _write_sorting_folder(folder: Path, sorting: BaseSorting) -> None:
    folder.mkdir()
    info = {"sampling_frequency": float(sorting.sampling_frequency), "unit_ids": list(map(int, sorting.unit_ids)), "num_segments": 1}
    _write_json(folder / "numpysorting_info.json", info)
    np.save(folder / "spikes.npy", sorting.to_spike_vector())
    (folder / "properties").mkdir()
    _write_json(folder / "annotations.json", {})
    NumpyFolderSorting(folder).dump_to_json(
        folder / "si_folder.json", relative_to=folder, include_properties=False, include_annotations=False, include_extra_metadata=False
    )


def write_recording(
    folder: str | Path, made: LabelledRecording, *, provenance: Provenance | None = None, threads: int = 2
) -> None:
    """Write a recording and its ground truth as one folder: ``recording/``, ``sorting/``, ``probe.json``, ``units.csv``.

    ``recording/`` and ``sorting/`` are SpikeInterface folders (``spikeinterface.load`` reads them). Samples are int16 with 0.195 uV per bit:
    half the size of float32, what sorters expect, and what an amplifier would have given.

    Raises
    ------
    DataError
        If a sample does not fit (nothing is ever clipped), or the disk is full.
    """
    folder = Path(folder)
    with atomic_folder(folder) as temporary:
        _write_recording_folder(temporary / "recording", made, threads)
        _write_sorting_folder(temporary / "sorting", made.sorting)
        group = probeinterface.ProbeGroup()
        group.add_probe(made.probe)
        probeinterface.write_probeinterface(temporary / "probe.json", group)
        made.units.to_csv(temporary / "units.csv", index=False, float_format="%.9g", lineterminator="\n")
    content = {
        "samples": made.recording.get_num_samples(),
        "channels": made.recording.get_num_channels(),
        "sampling_rate_hz": float(made.recording.sampling_frequency),
        "unit": "uV",
        "uv_per_bit": GAIN_UV,
        "units": len(made.units),
        "spikes": int(made.units["n_spikes"].sum()),
    }
    write_manifest(folder, schema=RECORDING_SCHEMA, provenance=provenance, content=content)


def _refuse_pickles(folder: Path) -> None:
    for path in folder.rglob("*"):
        pickled = path.suffix in (".pkl", ".pickle")
        if path.suffix == ".npy":
            try:
                np.load(path, allow_pickle=False)
            except ValueError:  # an array of objects, or no array at all
                pickled = True
        if pickled:
            raise FormatError(f"{path} is a pickle, which can run anything when it is read", "plain arrays", "do not use this folder")


def read_recording(folder: str | Path) -> LabelledRecording:
    """Read what `write_recording` wrote.

    Raises
    ------
    FormatError
        If the folder is not one, lacks a part, or its samples are cut short.
    """
    folder = Path(folder)
    remedy = f"delete {folder} and run its rule again"
    manifest = read_manifest(folder)
    if manifest["schema"] != RECORDING_SCHEMA:
        raise FormatError(f"{folder} has schema {manifest['schema']!r}", f"{RECORDING_SCHEMA!r}", "give the folder of a recording")
    content = manifest["content"]
    raw = folder / "recording" / "traces_cached_seg0.raw"
    expected = 2 * content["samples"] * content["channels"]
    size = raw.stat().st_size if raw.is_file() else -1
    if size != expected:
        raise FormatError(f"{raw} holds {size} bytes" if size >= 0 else f"{raw} is missing", f"{expected} bytes", remedy)
    _refuse_pickles(folder)
    try:
        recording, sorting = load(folder / "recording"), load(folder / "sorting")
        probe = probeinterface.read_probeinterface(folder / "probe.json").probes[0]
        units = pd.read_csv(folder / "units.csv")
    except Exception as error:  # the readers of three libraries, each with errors of its own
        raise FormatError(f"{folder} cannot be read ({type(error).__name__}: {error})", "a whole recording folder", remedy) from error
    if len(units) != content["units"] or len(sorting.to_spike_vector()) != content["spikes"]:
        raise FormatError(f"{folder} has {len(units)} units, the manifest {content['units']}", "the same", remedy)
    contacts = contact_positions(probe)
    return LabelledRecording(recording, sorting, probe, units, contacts)
