"""The recorder copies what NEURON's own vectors record, and says so when it cannot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from spikeline.config.simulation import IntegrationSettings
from spikeline.errors import NumericalError
from spikeline.simulation.bank.current_recorder import CurrentRecorder
from spikeline.simulation.cells.cell import NeuronCell, build_cell
from spikeline.simulation.cells.cell_sources import CellModel
from spikeline.simulation.cells.interpreter import neuron_interpreter

pytestmark = pytest.mark.neuron
BALL = CellModel("ball_and_stick", "ball_and_stick", None)
COOL = IntegrationSettings(temperature_c=20.0)


def initialised(cell: NeuronCell) -> CurrentRecorder:
    h = neuron_interpreter()
    h.CVode().use_fast_imem(True)
    h.finitialize(-70.0)
    recorder = CurrentRecorder(cell.segments)
    h.finitialize(-70.0)
    return recorder


@pytest.mark.parametrize("name", ["ball_and_stick", "L5_SBC_bNAC219_1"])
def test_every_step_is_what_a_vector_per_segment_records(
    name: str, packaged_models: dict[str, CellModel], mechanisms: Path
) -> None:
    model, integration = (BALL, COOL) if name == BALL.name else (packaged_models[name], IntegrationSettings())
    cell, h = build_cell(model, integration, mechanisms=mechanisms), neuron_interpreter()
    h.CVode().use_fast_imem(True)
    h.finitialize(-70.0)
    vectors = [h.Vector().record(segment._ref_i_membrane_) for segment in cell.segments]
    clamp = h.IClamp(cell.soma)
    clamp.dur, clamp.amp = 1e9, 0.4
    recorder = initialised(cell)
    for _ in range(2):  # the second run starts from another initialisation
        h.finitialize(-70.0)
        with recorder.recording(120):
            for _ in range(120):
                h.fadvance()
        expected = np.array([vector.as_numpy()[1:] for vector in vectors]).T
        np.testing.assert_array_equal(recorder.currents_na, expected.astype(np.float32))


@pytest.mark.parametrize("made", [99, 101])
def test_another_number_of_steps_is_an_error(made: int) -> None:
    recorder, h = initialised(build_cell(BALL, COOL)), neuron_interpreter()
    with pytest.raises(NumericalError, match=f"{made} of 100 steps"), recorder.recording(100):
        for _ in range(made):
            h.fadvance()


def test_nothing_is_copied_any_more_after_a_run_that_failed() -> None:
    recorder, h = initialised(build_cell(BALL, COOL)), neuron_interpreter()
    with pytest.raises(RuntimeError), recorder.recording(100):
        raise RuntimeError
    recorder.currents_na[:] = 7.0
    h.fadvance()
    assert (recorder.currents_na == 7.0).all()
