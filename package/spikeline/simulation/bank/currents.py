"""Simulate one entry of the bank: a cell variant under one stimulus seed, slice by slice, compressed as it goes."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from spikeline.artifacts import Provenance, config_hash, file_checksum
from spikeline.config.simulation import BankSettings, IntegrationSettings, StimulusSettings, VariantSettings
from spikeline.errors import NumericalError
from spikeline.simulation.bank import BankEntry, write_bank_entry
from spikeline.simulation.bank.field_error import FieldError
from spikeline.simulation.bank.low_rank import LowRankBasis
from spikeline.simulation.bank.quantisation import quantisation_scale, quantise, rounding_error
from spikeline.simulation.bank.reference_contacts import reference_contacts
from spikeline.simulation.bank.rheobase import read_rheobase
from spikeline.simulation.bank.slice_store import SliceStore, work_folder
from spikeline.simulation.bank.slices import SliceRunner
from spikeline.simulation.bank.spike_times import spike_peaks
from spikeline.simulation.bank.stimulus import stimulus_current
from spikeline.simulation.cells.cell import NeuronCell, build_cell
from spikeline.simulation.cells.cell_sources import CellModel
from spikeline.simulation.field.line_source import line_source_matrix

__all__ = ["simulate_bank_entry", "simulate_currents"]

_TRUNCATION_SHARE = 0.8  # of the tolerances; the rest is for the 16-bit coefficients
_PEAK_WINDOW_MS = 1.0
_BOUND_DISTANCE_UM = 20.0
_STEP_VERSION = 4  # of the work folder's content: raised when an unfinished entry of older code must not be resumed


def simulate_currents(
    model: CellModel,
    variant: str,
    seed: int,
    *,
    rheobase_na: float,
    integration: IntegrationSettings,
    stimulus: StimulusSettings,
    bank: BankSettings,
    variants: VariantSettings,
    root_seed: int,
    mechanisms: str | Path | None,
    folder: str | Path,
) -> BankEntry:
    """Membrane currents of a cell variant under one stimulus, low rank, with the error measured.

    Every finished slice is kept in ``folder`` with the state the next one starts from. A second call with the same
    arguments goes on after the last finished slice and gives the same bytes as a call that was never stopped. The
    stimulus is drawn whole from its seed, so its position needs no saving.

    Parameters
    ----------
    model, variant, seed
        Which entry.
    rheobase_na
        Rheobase of this variant, nA.
    integration, stimulus, bank, variants
        Settings.
    root_seed
        The run's seed.
    mechanisms
        Compiled channels (None for the ball-and-stick cell).
    folder
        Work folder; the entry's coefficients are read from it lazily, so it must live until they have been written.

    Raises
    ------
    NumericalError
        If a current is not finite, or the error bound cannot be met.
    """
    # One thread: the same bytes whatever number of cores a job is given, and NEURON uses one anyway
    with threadpool_limits(1):
        cell = build_cell(
            model, integration, mechanisms=mechanisms, variant=variant, variants=variants, root_seed=root_seed
        )
        job = _Job(model, variant, seed, rheobase_na, integration, stimulus, bank, root_seed, SliceStore(folder))
        contacts = reference_contacts(cell.geometry, bank.reference_distance_um)
        matrix = line_source_matrix(cell.geometry, contacts, bank.conductivity_s_per_m)
        _simulate_slices(job, cell, matrix)
        return _assemble(job, cell, matrix)


@dataclass(frozen=True)
class _Job:
    """One entry to be made, and where its slices are kept."""

    model: CellModel
    variant: str
    seed: int
    rheobase_na: float
    integration: IntegrationSettings
    stimulus: StimulusSettings
    bank: BankSettings
    root_seed: int
    store: SliceStore

    @property
    def name(self) -> str:
        return f"{self.model.name}/{self.variant}-{self.seed}"

    @property
    def n_samples(self) -> int:
        return round(self.bank.duration_s * 1e3 / self.integration.dt_ms)

    @property
    def slice_samples(self) -> int:
        return round(self.bank.slice_s * 1e3 / self.integration.dt_ms)

    @property
    def n_slices(self) -> int:
        return -(-self.n_samples // self.slice_samples)


def _simulate_slices(job: _Job, cell: NeuronCell, matrix: np.ndarray) -> None:
    finished = job.store.finished()
    if finished == job.n_slices:
        return
    state, basis = None, None
    if finished:
        last = job.store.read(finished - 1, ["state", "basis"])
        state, basis = last["state"], last["basis"]
    current_na = stimulus_current(
        job.stimulus,
        n_samples=job.n_samples,
        dt_ms=job.integration.dt_ms,
        rheobase_na=job.rheobase_na,
        root_seed=job.root_seed,
        shard=job.name,
    )
    tolerances = _TRUNCATION_SHARE * job.bank.max_error_uv, _TRUNCATION_SHARE * job.bank.rms_error_percent
    low_rank = LowRankBasis(matrix, *tolerances, basis)
    runner = SliceRunner(
        cell,
        dt_ms=job.integration.dt_ms,
        initial_voltage_mv=job.integration.initial_voltage_mv,
        root_seed=job.root_seed,
        shard=job.name,
    )
    with _progress(job.name, job.n_slices, finished) as advance:
        for index in range(finished, job.n_slices):
            start = index * job.slice_samples
            state = runner.run(current_na[start : start + job.slice_samples], state, index)
            currents = runner.currents_na()
            _refuse_non_finite(currents, job.name, start, job.integration.dt_ms)
            coefficients, error = low_rank.compress(currents)
            job.store.write(
                index,
                {
                    "coefficients": coefficients,
                    "basis": low_rank.basis,
                    "soma_voltage_mv": runner.soma_voltage_mv().astype(np.float32),
                    "state": state,
                    **error.arrays(),
                },
            )
            advance()


def _refuse_non_finite(currents: np.ndarray, shard: str, start: int, dt_ms: float) -> None:
    finite = np.isfinite(currents.sum(axis=0))
    if not finite.all():
        time_ms = (start + int(np.argmin(finite)) + 1) * dt_ms
        raise NumericalError(
            f"{shard}: the membrane current is not finite at {time_ms:g} ms",
            "finite currents",
            "lower integration.dt_ms or stimulus.amplitude_rheobase, or narrow the variants' bounds",
        )


def _assemble(job: _Job, cell: NeuronCell, matrix: np.ndarray) -> BankEntry:
    basis = job.store.read(job.n_slices - 1, ["basis"])["basis"]
    largest, voltage, truncation = np.zeros(basis.shape[1]), np.empty(job.n_samples, np.float32), FieldError()
    for index in range(job.n_slices):
        arrays = job.store.read(index, ["coefficients", "soma_voltage_mv", *FieldError.array_names()])
        rank, start = len(arrays["coefficients"]), index * job.slice_samples
        largest[:rank] = np.maximum(largest[:rank], np.abs(arrays["coefficients"]).max(axis=1))
        voltage[start : start + job.slice_samples] = arrays["soma_voltage_mv"]
        truncation = truncation.joined(FieldError.from_arrays(arrays))
    stored, error = _stored(job, basis, quantisation_scale(largest), matrix, truncation)
    spikes = spike_peaks(voltage, job.bank.spike_threshold_mv, round(_PEAK_WINDOW_MS / job.integration.dt_ms))
    facts = {
        "rheobase_na": job.rheobase_na,
        "firing_rate_hz": len(spikes) / job.bank.duration_s,
        "n_spikes": len(spikes),
        "licence": job.model.licence,
        "length_factor": cell.factors.length,
        "diameter_factor": cell.factors.diameter,
        "conductance_factors": json.dumps(dict(cell.factors.conductance), sort_keys=True),
        **{f"stimulus_{key}": value for key, value in job.stimulus.plain().items()},
        **{f"integration_{key}": value for key, value in job.integration.plain().items()},
    }
    return BankEntry(
        cell=job.model.name,
        variant=job.variant,
        seed=job.seed,
        geometry=cell.geometry,
        basis=basis,
        scale=stored.scale,
        coefficients=stored,
        spike_samples=spikes,
        soma_voltage_mv=voltage.astype(np.float16),
        sampling_rate_hz=1e3 / job.integration.dt_ms,
        error=error,
        facts=facts,
    )


def _stored(
    job: _Job, basis: np.ndarray, scale: np.ndarray, matrix: np.ndarray, truncation: FieldError
) -> tuple[_StoredCoefficients, dict[str, float]]:
    """Coefficients in 16 bits where that keeps the tolerances, else in 32, and the error of what is stored.

    Truncation and 16-bit errors are each measured on every sample; their sum bounds the error of the stored form.
    Sixteen bits are too few for a cell that hardly fires: its few spikes set the step, and beside a dendrite far from
    the soma nearly all the signal is what lies below threshold, hundreds of times smaller.
    """
    stored = _StoredCoefficients(job.store, scale, job.n_samples, job.slice_samples)
    rounding = FieldError()
    for index in range(stored.n_slices):
        exact = stored.exact(index)
        rounding = rounding.joined(rounding_error(exact, scale[: len(exact)], basis[:, : len(exact)], matrix))
    total = truncation.increased(rounding)
    if total.max_error_uv > job.bank.max_error_uv or total.rms_percent > job.bank.rms_error_percent:
        # The truncation alone keeps them: `LowRankBasis` saw to it
        stored = _StoredCoefficients(
            job.store, np.ones(len(scale), np.float32), job.n_samples, job.slice_samples, np.dtype(np.float32)
        )
        total = truncation
    per_na = 1e3 / (4 * np.pi * job.bank.conductivity_s_per_m * _BOUND_DISTANCE_UM)
    return stored, {
        "max_error_uv": total.max_error_uv,
        "rms_error_percent": total.rms_percent,
        "bound_uv_at_20um": per_na * total.residual_na,
        "rank": float(len(scale)),
    }


class _StoredCoefficients:
    """The coefficients of all slices as one (rank, n_samples) array that is read, and quantised if int16, in pieces."""

    def __init__(
        self,
        store: SliceStore,
        scale: np.ndarray,
        n_samples: int,
        slice_samples: int,
        dtype: np.dtype = np.dtype(np.int16),  # noqa: B008 - immutable
    ) -> None:
        self._store, self.scale, self._slice_samples = store, scale, slice_samples
        self.shape, self.dtype = (len(scale), n_samples), dtype
        self.n_slices = -(-n_samples // slice_samples)

    def exact(self, index: int) -> np.ndarray:
        """(rank so far, n) float32 coefficients of one slice."""
        return self._store.read(index, ["coefficients"])["coefficients"]

    def __getitem__(self, key: tuple[slice, slice]) -> np.ndarray:
        start, stop, _ = key[1].indices(self.shape[1])
        out = np.zeros((self.shape[0], stop - start), self.dtype)
        for index in range(start // self._slice_samples, -(-stop // self._slice_samples)):
            first = index * self._slice_samples
            low, high = max(start, first), min(stop, first + self._slice_samples)
            exact = self.exact(index)[:, low - first : high - first]
            if self.dtype == np.int16:
                exact = quantise(exact, self.scale[: len(exact)])
            out[: len(exact), low - start : high - start] = exact
        return out[key[0]]


@contextlib.contextmanager
def _progress(title: str, total: int, completed: int) -> Iterator[Any]:
    if not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(title, total=total, completed=completed)
        yield lambda: bar.advance(task)


def simulate_bank_entry(
    model: CellModel,
    variant: str,
    seed: int,
    rheobase_file: str | Path,
    output: str | Path,
    *,
    integration: IntegrationSettings,
    stimulus: StimulusSettings,
    bank: BankSettings,
    variants: VariantSettings,
    root_seed: int,
    mechanisms: str | Path | None,
    provenance: Provenance | None = None,
) -> dict[str, float]:
    """Simulate one entry of the bank and write it to ``output``; returns its measured error.

    A killed call leaves its finished slices in a hidden folder beside ``output``, keyed by everything the entry depends
    on; the next call with the same arguments resumes there. The folder is removed once the entry is written.

    Raises
    ------
    DataError
        If the cell cannot be built or the disk is full.
    FormatError
        If the rheobase file cannot be read.
    NumericalError
        If a current is not finite, or the error bound cannot be met.
    """
    rheobase_na = read_rheobase(rheobase_file).rheobase_na
    key = config_hash(
        {
            "step_version": _STEP_VERSION,
            "entry": [model.name, variant, seed, rheobase_na, root_seed],
            "files": {path.name: file_checksum(path) for path in model.files},
            "settings": [
                integration.plain(),
                stimulus.plain(),
                bank.plain(),
                variants.plain() if variant != "v000" else None,
            ],
        }
    )
    folder = work_folder(output, key)
    entry = simulate_currents(
        model, variant, seed,
        rheobase_na=rheobase_na, integration=integration, stimulus=stimulus, bank=bank, variants=variants,
        root_seed=root_seed, mechanisms=mechanisms, folder=folder,
    )  # fmt: skip
    write_bank_entry(output, entry, provenance)
    for leftover in Path(output).parent.glob(work_folder(output, "*").name):
        SliceStore(leftover).remove()
    return entry.error
