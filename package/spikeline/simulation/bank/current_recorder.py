"""Record the membrane currents of all segments at every step, for the price of a memory copy.

``Vector.record`` on each of 300 segments costs a tenth of the whole simulation, because NEURON calls every vector at
every step. Here NEURON calls one compiled function per step, which copies all the currents where NEURON keeps them.
Their addresses come from NEURON's C interface (neuronapi.h, NEURON 9), anew for every run, because NEURON may move its
data at an initialisation. What was copied last is compared with what NEURON's own ``PtrVector`` reads.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
from collections.abc import Iterator
from typing import Any

import numpy as np
from numba import cfunc

from spikeline.errors import NumericalError
from spikeline.simulation.cells.interpreter import neuron_interpreter

__all__ = ["CurrentRecorder"]

_VARIABLE = "i_membrane_"


class CurrentRecorder:
    """Membrane currents of segments, step by step.

    Parameters
    ----------
    segments
        NEURON's segments, after an initialisation with ``use_fast_imem``; none: nothing is recorded.
    """

    def __init__(self, segments: list[Any]) -> None:
        self._h = h = neuron_interpreter()
        self._segments = segments
        self.currents_na = np.empty((0, len(segments)), np.float32)
        """(n_steps, n_segments), row k at the end of step k of the last run; overwritten by the next."""
        if segments:
            self._check = h.PtrVector(len(segments))
            for i, segment in enumerate(segments):
                self._check.pset(i, segment._ref_i_membrane_)

    @contextlib.contextmanager
    def recording(self, n_steps: int) -> Iterator[None]:
        """Record the ``n_steps`` steps that are made inside; the cell was initialised just before.

        Raises
        ------
        NumericalError
            If another number of steps was made, or NEURON's data were moved meanwhile.
        """
        if not self._segments:
            yield
            return
        if len(self.currents_na) != n_steps:
            # kept between runs: getting fresh memory from the system takes longer than filling it
            self.currents_na = np.empty((n_steps, len(self._segments)), np.float32)
        addresses = _addresses(self._h, self._segments)
        first = int(addresses.min())
        offsets = (addresses - first) // 8
        progress = np.array([0, n_steps, len(self._segments)], np.int64)
        copy = functools.partial(
            _COPY, first, offsets.ctypes.data, self.currents_na.ctypes.data, progress.ctypes.data
        )  # a partial of a C function: no Python is interpreted during a step
        solver = self._h.CVode()
        solver.extra_scatter_gather(0, copy)
        try:
            yield
        finally:
            solver.extra_scatter_gather_remove(copy)
        seen = self._h.Vector(len(self._segments))
        self._check.gather(seen)
        last = seen.as_numpy().astype(np.float32)
        if progress[0] != n_steps or (n_steps and not np.array_equal(self.currents_na[-1], last, equal_nan=True)):
            raise NumericalError(
                f"{progress[0]} of {n_steps} steps were recorded, or NEURON moved its data during a run",
                "the currents of every step",
                "report this as a bug, with the version of NEURON",
            )


def _addresses(h: Any, segments: list[Any]) -> np.ndarray:
    """(n_segments,) int64: where NEURON keeps the membrane current of each segment now."""
    library = _neuron_library()
    symbol = library.nrn_symbol(_VARIABLE.encode())
    found = []
    for segment in segments:
        segment.sec.push()
        library.nrn_rangevar_push(symbol, library.nrn_cas(), segment.x)
        found.append(library.nrn_double_ptr_pop())
        h.pop_section()
    return np.array(found, np.int64)


@functools.cache
def _neuron_library() -> ctypes.PyDLL:
    from neuron import hoc  # type: ignore[attr-defined]

    library = ctypes.PyDLL(hoc.__file__)  # names are looked up in what it is linked with, too
    library.nrn_symbol.restype, library.nrn_symbol.argtypes = ctypes.c_void_p, [ctypes.c_char_p]
    library.nrn_cas.restype, library.nrn_cas.argtypes = ctypes.c_void_p, []
    library.nrn_rangevar_push.restype = None
    library.nrn_rangevar_push.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_double]
    library.nrn_double_ptr_pop.restype, library.nrn_double_ptr_pop.argtypes = ctypes.c_void_p, []
    return library


@cfunc("void(CPointer(float64), CPointer(int64), CPointer(float32), CPointer(int64))", cache=True)
def _copy_step(source, offsets, target, progress):  # type: ignore[no-untyped-def]
    """Copy the currents of one step; ``progress``: steps copied, steps there is room for, segments."""
    step, count = progress[0], progress[2]
    if step < progress[1]:
        for i in range(count):
            target[step * count + i] = source[offsets[i]]
    progress[0] = step + 1


_COPY = ctypes.PYFUNCTYPE(None, *[ctypes.c_void_p] * 4)(_copy_step.address)
