"""Run a cell slice by slice: each slice starts from the state the last one ended in, and from nothing else.

NEURON's clock starts at 0 in every slice, and all of a cell's memory (voltages, channel states, ion concentrations) is
one array. A run that is killed and resumed therefore does, slice by slice, exactly what an uninterrupted run does, and
after hours the clock has lost no precision. The models' equations hold no absolute time.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float, Float32, Float64

from spikeline.artifacts import seed_integer
from spikeline.errors import NumericalError
from spikeline.simulation.bank.current_recorder import CurrentRecorder
from spikeline.simulation.cells.cell import NeuronCell
from spikeline.simulation.cells.interpreter import neuron_interpreter

__all__ = ["SliceRunner"]

_STATE = 3  # NEURON's number for the kind of variable


class SliceRunner:
    """Inject a current into a cell's soma and record it, in slices of any length.

    Parameters
    ----------
    cell
        The cell that is alive in this process.
    dt_ms
        Time step.
    initial_voltage_mv
        Voltage that the cell is initialised at.
    record_currents
        Record the membrane currents of all segments, not only the soma's voltage.
    root_seed, shard
        Streams for channels with random numbers of their own (StochKv); they start anew in every slice.
    """

    def __init__(
        self,
        cell: NeuronCell,
        *,
        dt_ms: float,
        initial_voltage_mv: float,
        record_currents: bool = True,
        root_seed: int = 0,
        shard: str = "",
    ) -> None:
        self._h = h = neuron_interpreter()
        self._cell, self._dt_ms, self._initial_voltage_mv = cell, dt_ms, initial_voltage_mv
        self._root_seed, self._shard = root_seed, shard
        self._clamp = h.IClamp(cell.soma)
        self._clamp.delay, self._clamp.dur = 0.0, 1e12
        self._times, self._values = h.Vector(), h.Vector()
        self._context = h.ParallelContext()
        self._context.set_maxstep(10)
        h.CVode().use_fast_imem(record_currents)
        self._voltage = h.Vector()
        self._voltage.record(cell.soma._ref_v)
        if record_currents:
            h.finitialize(initial_voltage_mv)  # the currents' storage exists from the first initialisation on
        self._recorder = CurrentRecorder(cell.segments if record_currents else [])
        references = _state_references(h, cell.segments)
        self._state = h.PtrVector(len(references))
        for i, reference in enumerate(references):
            self._state.pset(i, reference)
        self._stochastic = _stochastic_channels(h, cell.segments)
        self._generators: list[Any] = []
        self._soma_voltage_mv = np.empty(0)

    def run(
        self,
        current_na: Float[np.ndarray, " steps"],
        state: Float64[np.ndarray, " states"] | None = None,
        slice_index: int = 0,
    ) -> Float64[np.ndarray, " states"]:
        """Integrate one slice.

        Parameters
        ----------
        current_na
            Injected current, value k held during step k.
        state
            Where the last slice ended; None starts from the resting initialisation.
        slice_index
            Which slice it is, for the channels' random streams.

        Returns
        -------
        numpy.ndarray
            Where this slice ended. `soma_voltage_mv` and `currents_na` give what was recorded.

        Raises
        ------
        NumericalError
            If NEURON does not make one step per value.
        """
        h, dt, n_steps = self._h, self._dt_ms, len(current_na)
        # Continuous play has no events (steps played every dt cost one each) and is read at the middle of a step;
        # with one knot per step put there, step k gets value k.
        self._clamp_play((np.arange(n_steps) + 0.5) * dt, current_na)
        h.dt = dt
        h.finitialize(self._initial_voltage_mv)
        if state is not None:
            self._state.scatter(h.Vector(state))
        self._seed_channels(slice_index)
        self._voltage.resize(0)  # the value of t = 0
        with self._recorder.recording(n_steps):
            self._context.psolve(n_steps * dt)
        if int(self._voltage.size()) != n_steps:
            raise NumericalError(
                f"cell {self._cell.name}: NEURON made {int(self._voltage.size())} steps in place of {n_steps}",
                "one sample per step",
                "report this as a bug",
            )
        self._soma_voltage_mv = np.array(self._voltage.as_numpy())
        ended = h.Vector(self._state.size())
        self._state.gather(ended)
        return np.array(ended)

    def _clamp_play(self, times_ms: np.ndarray, current_na: np.ndarray) -> None:
        if int(self._times.size()) != len(times_ms):
            self._times, self._values = self._h.Vector(times_ms), self._h.Vector(current_na)
            self._values.play(self._clamp._ref_amp, self._times, True)
        else:
            self._values.as_numpy()[:] = current_na

    def _seed_channels(self, slice_index: int) -> None:
        self._generators = []
        if not self._stochastic:
            return
        stream = seed_integer(self._root_seed, "stochastic channels", f"{self._shard}/{slice_index}")
        for i, (segment, mechanism) in enumerate(self._stochastic):
            generator = self._h.Random()
            generator.Random123(stream, i, 0)
            generator.uniform(0, 1)
            getattr(self._h, f"setdata_{mechanism}")(segment.x, sec=segment.sec)
            getattr(self._h, f"setRNG_{mechanism}")(generator)
            self._generators.append(generator)  # the channel keeps only a pointer

    def soma_voltage_mv(self) -> Float64[np.ndarray, " steps"]:
        """Sample k is at the end of step k."""
        return self._soma_voltage_mv

    def currents_na(self) -> Float32[np.ndarray, "segments steps"]:
        """Membrane currents, sample k at the end of step k; overwritten next time.

        The samples of one step lie side by side in memory.


        They sum to the injected current, not to 0: the electrode's current leaves through the membrane.
        """
        return self._recorder.currents_na.T


def _state_references(h: Any, segments: list[Any]) -> list[Any]:
    references = []
    names: dict[str, list[tuple[str, int]]] = {}
    for segment in segments:
        references.append(segment._ref_v)
        for mechanism in segment:
            name = mechanism.name()
            if name not in names:
                names[name] = _state_names(h, name)
            for variable, size in names[name]:
                reference = getattr(segment, f"_ref_{variable}")
                references += [reference] if size == 1 else [reference[i] for i in range(size)]
    return references


def _state_names(h: Any, mechanism: str) -> list[tuple[str, int]]:
    """Names and sizes of a mechanism's states; of an ion, its concentrations and reversal potential."""
    if mechanism.endswith("_ion"):  # NEURON lists these as parameters or states, depending on which channels are loaded
        ion = mechanism.removesuffix("_ion")
        return [(f"{ion}i", 1), (f"{ion}o", 1), (f"e{ion}", 1)]
    standard = h.MechanismStandard(mechanism, _STATE)
    reference = h.ref("")
    found = []
    for i in range(int(standard.count())):
        size = int(standard.name(reference, i))
        found.append((reference[0], size))
    return found


def _stochastic_channels(h: Any, segments: list[Any]) -> list[tuple[Any, str]]:
    return [
        (segment, mechanism.name())
        for segment in segments
        for mechanism in segment
        if hasattr(h, f"setRNG_{mechanism.name()}")
    ]
