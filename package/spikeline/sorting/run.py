"""Run one SpikeInterface sorter on one recording, in a folder nobody sees, with the same result every time."""

from __future__ import annotations

import contextlib
import random
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spikeline.artifacts import scratch_beside
from spikeline.config.sorting import SorterSettings
from spikeline.errors import ConfigError, DataError
from spikeline.sorting.compiled_kernels import keep_compiled_kernels
from spikeline.sorting.parameters import sorter_parameters
from spikeline.sorting.simsort.sorter_parameters import SORTER_NAME

if TYPE_CHECKING:
    import spikeinterface as si

__all__ = ["NOTE", "check_recording", "sort_recording"]

NOTE = "note"
"""Name of the annotation that says why a sorting has no units; empty otherwise."""

_SHORTEST_S = 1.0

# How the component sorters of SpikeInterface 0.105 fail when a recording has nothing, or too little, to sort. All
# texts of a row must stand in the trace; any other failure is passed on.
_NOTHING_FOUND = (
    (("Found array with 0 sample(s)", "TruncatedSVD"), "the sorter detected no events"),
    (("ZeroDivisionError", "all_peaks.size / peaks.size"), "the sorter detected no events"),
    (("AssertionError: Prototype should have a negative peak",), "the sorter detected no events"),
    (
        ("UnboundLocalError", "find_spikes_from_templates", "'node0'"),
        "no cluster of the sorter survived its own cleaning",
    ),
    (
        ("ValueError: k must be less than or equal to the number of training points", "hdbscan"),
        "too few events to cluster",
    ),
)


def sort_recording(
    recording: si.BaseRecording,
    sorter_settings: SorterSettings,
    threads: int = 1,
    seed: int = 0,
    *,
    output: str | Path | None = None,
) -> si.NumpySorting:
    """Sort a recording.

    All its traces are read once before the sorter starts, so that hours of sorting do not end in an error that a look
    could have told; meanwhile no progress is shown.

    Parameters
    ----------
    recording
        One segment, with a probe.
    sorter_settings
        Which sorter, and its parameters.
    threads
        Worker threads of the sorter. A minute of a tetrode is sorted faster by one than by two.
    seed
        Fixes every random draw, those too for which the sorter takes no seed (`_default_generators_seeded`).
    output
        Where the sorting will be written. The sorter's files, whitened traces as large as the recording among them, lie
        beside it meanwhile; None: in the system's folder for temporary files.

    Returns
    -------
    NumpySorting
        With text unit ids, the unit properties that the sorter gave, and the annotation ``note``: empty, or why there
        are no units. A sorter that finds nothing gives a sorting without units.

    Raises
    ------
    ConfigError
        If the sorter or a parameter is unknown, or the sorter is not installed.
    DataError
        If the recording cannot be sorted: no channels, no probe, shorter than 1 s, NaN or constant traces, several
        segments; or if the sorter fails.
    """
    if threads < 1:
        raise ConfigError(f"threads = {threads}", "at least 1", "give the rule a thread")
    _check_form(recording)
    places, rate = recording.get_channel_locations(), recording.get_sampling_frequency()
    parameters = sorter_parameters(sorter_settings, places, rate, threads, seed)
    if sorter_settings.sorter != SORTER_NAME:  # SimSort looks at the traces itself: reading them once is enough
        _check_traces(recording)
    place = tempfile.TemporaryDirectory(prefix="spikeline-sorting-") if output is None else scratch_beside(output)
    with place as folder, _contained(threads), _default_generators_seeded(seed):
        return _run(
            _as_file(recording, Path(folder) / "recording"), sorter_settings.sorter, Path(folder) / "sorter", parameters
        )


def _run(recording: si.BaseRecording, name: str, folder: Path, parameters: dict[str, Any]) -> si.NumpySorting:
    from spikeinterface.sorters import run_sorter, sorter_dict
    from spikeinterface.sorters.utils import SpikeSortingError

    from spikeline.sorting.sorting_file import make_sorting, properties_of

    if not sorter_dict[name].is_installed():
        raise ConfigError(
            f"sorter {name!r} is not installed",
            "a sorter that can run here",
            f"install it: {sorter_dict[name].installation_mesg.strip()}",
        )
    keep_compiled_kernels()
    try:
        found = run_sorter(name, recording, folder=folder, verbose=False, **parameters)
    except SpikeSortingError as error:
        trace = str(error)
        for texts, note in _NOTHING_FOUND:
            if all(text in trace for text in texts):
                return make_sorting([], [], [], recording.get_sampling_frequency(), note)
        last = [line.strip() for line in trace.splitlines() if "Error: " in line]
        raise DataError(
            f"sorter {name!r} failed: {last[-1] if last else trace.splitlines()[0]}",
            "a recording and parameters that it can sort",
            "read its traceback above this error; sort with another sorter or other parameters under sorting.sorters",
        ) from error
    unit_ids = [str(unit) for unit in found.unit_ids]
    trains = [np.asarray(found.get_unit_spike_train(unit), dtype=np.int64) for unit in found.unit_ids]
    samples = np.concatenate([np.empty(0, np.int64), *trains])
    index = np.repeat(np.arange(len(trains)), [len(train) for train in trains])
    note = "" if unit_ids else "the sorter kept no unit"
    return make_sorting(samples, index, unit_ids, recording.get_sampling_frequency(), note, properties_of(found))


def check_recording(recording: si.BaseRecording) -> None:
    """Refuse a recording that no sorter can do anything sensible with; reads all its traces once.

    Raises
    ------
    DataError
        See `sort_recording`.
    """
    _check_form(recording)
    _check_traces(recording)


def _check_form(recording: si.BaseRecording) -> None:
    if recording.get_num_channels() == 0:
        raise DataError("the recording has no channels", "at least one channel", "check the channels you selected")
    if recording.get_num_segments() != 1:
        raise DataError(
            f"the recording has {recording.get_num_segments()} segments",
            "one segment",
            "concatenate_recordings of SpikeInterface makes one of them",
        )
    if not recording.has_probe():
        raise DataError(
            "the recording has no probe", "contact positions", "attach one with recording.set_probe (probeinterface)"
        )
    if recording.get_total_duration() < _SHORTEST_S:
        raise DataError(
            f"the recording lasts {recording.get_total_duration():g} s",
            f"at least {_SHORTEST_S:g} s",
            "record or simulate for longer: noise levels need it",
        )


def _check_traces(recording: si.BaseRecording) -> None:
    rate, n_samples = recording.get_sampling_frequency(), recording.get_num_samples()
    low = high = None
    step = max(1, int(10 * rate))
    for start in range(0, n_samples, step):
        traces = recording.get_traces(start_frame=start, end_frame=min(start + step, n_samples))
        if traces.dtype.kind == "f" and not np.isfinite(traces).all():
            sample, channel = np.argwhere(~np.isfinite(traces))[0]
            raise DataError(
                f"the traces are {traces[sample, channel]} at {(start + sample) / rate:.4f} s "
                f"on channel {recording.channel_ids[channel]}",
                "finite numbers everywhere",
                "cut the stretch out or interpolate it before sorting",
            )
        lows, highs = traces.min(axis=0), traces.max(axis=0)
        low, high = (lows, highs) if low is None else (np.minimum(low, lows), np.maximum(high, highs))
    if (low == high).all():
        raise DataError(
            "every channel is constant",
            "traces with a signal",
            "check the file, its data type and the channels you selected",
        )


def _as_file(recording: si.BaseRecording, folder: Path) -> si.BaseRecording:
    """A recording that a sorter's folder can refer to by JSON; one that lives in memory would be pickled."""
    if recording.check_serializability("json"):
        return recording
    with warnings.catch_warnings():
        # SpikeInterface notes that the copy does not remember where it came from; nothing here reads that.
        warnings.filterwarnings("ignore", message="The extractor is not serializable to file")
        return recording.save(folder=folder, n_jobs=1, verbose=False, progress_bar=False)


@contextlib.contextmanager
def _contained(threads: int) -> Iterator[None]:
    """Prints go to stderr (the rule's log), warnings are shown and never raised, BLAS keeps to one thread."""
    import numba
    import threadpoolctl

    numba_threads = numba.get_num_threads()
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.redirect_stdout(sys.stderr))
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("default")
        warnings.simplefilter(
            "ignore", ResourceWarning
        )  # as Python does by itself: files that a library leaves for the collector
        stack.enter_context(threadpoolctl.threadpool_limits(limits=1))
        numba.set_num_threads(min(threads, numba.config.NUMBA_NUM_THREADS))
        try:
            yield
        finally:
            numba.set_num_threads(numba_threads)


class _Seeded:
    """``numpy.random.default_rng`` with another default."""

    def __init__(self, original: Callable[..., np.random.Generator], default: int) -> None:
        self.original, self.default = original, default

    def __call__(self, seed: Any = None) -> np.random.Generator:
        return self.original(self.default if seed is None else seed)


@contextlib.contextmanager
def _default_generators_seeded(seed: int) -> Iterator[None]:
    """Give ``numpy.random.default_rng()`` without a seed, and numpy's and Python's global state, this seed for a while.

    SpikeInterface 0.105 takes the stretches for whitening (Tridesclous2) and z-scoring (Simple), and the choice among
    too many events (Tridesclous2, Lupin), from an unseeded generator whatever ``seed`` it is given. Every such
    generator starts from the same seed, so the order in which threads ask for one does not matter.
    """
    original, numpy_state, python_state = np.random.default_rng, np.random.get_state(), random.getstate()  # noqa: NPY002

    np.random.default_rng = _Seeded(original, seed)  # type: ignore[assignment]
    np.random.seed(seed % 2**32)  # noqa: NPY002
    random.seed(seed)
    try:
        yield
    finally:
        np.random.default_rng = original
        np.random.set_state(numpy_state)  # noqa: NPY002
        random.setstate(python_state)
