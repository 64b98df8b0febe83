import numpy as np
import pytest

from spikeline.dynamics.trajectories import Trajectories
from spikeline.errors import DataError


def _trajectories(**changed):
    parts = {"inputs": np.zeros((3, 5, 2)), "outputs": np.zeros((3, 5, 1)), "lengths": np.array([5, 4, 2])}
    return Trajectories(**{**parts, **changed})


def test_what_lies_beyond_a_length_is_not_looked_at():
    outputs = np.zeros((3, 5, 1))
    outputs[2, 2:] = np.nan
    assert len(_trajectories(outputs=outputs)) == 3
    outputs[2, 1] = np.nan
    with pytest.raises(DataError, match="output of trajectory 2 is not finite at step 1"):
        _trajectories(outputs=outputs)


@pytest.mark.wrong_arrays
@pytest.mark.parametrize("kind", [np.float32, np.float16, np.int64])
def test_numbers_are_kept_in_double_precision(kind):
    made = _trajectories(inputs=np.ones((3, 5, 2), kind), outputs=np.full((3, 5, 1), 3, kind))
    assert made.inputs.dtype == made.outputs.dtype == np.float64 and made.outputs[0, 0, 0] == 3
    whole = np.zeros((3, 5, 2))
    assert _trajectories(inputs=whole).inputs is whole  # and what is double already is not copied


@pytest.mark.wrong_arrays
@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"outputs": np.zeros((3, 5, 0))}, r"outputs of shape \(3, 5, 0\): none"),
        ({"outputs": np.zeros((3, 4, 1))}, "same N and T"),
        ({"lengths": np.array([5, 6, 2])}, "trajectory 1 has the length 6"),
        ({"lengths": np.array([5, 4, 0])}, "trajectory 2 has the length 0"),
    ],
)
def test_what_does_not_fit_is_named(changed, message):
    with pytest.raises(DataError, match=message):
        _trajectories(**changed)


@pytest.mark.wrong_arrays
@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"inputs": np.zeros((2, 5))}, r"inputs: float64 \(2, 5\)"),
        ({"outputs": np.zeros(5)}, r"outputs: float64 \(5,\)"),
        ({"outputs": np.zeros((2, 5, 1), complex)}, "outputs: complex128"),
        ({"outputs": np.full((2, 5, 1), "a")}, "outputs: <U1"),
        ({"inputs": [[[0.0]]]}, "inputs: list"),
        ({"lengths": np.full(2, 5.0)}, "lengths: float64"),
        ({"labels": np.zeros(3, np.int64)}, "3 labels of 2 trajectories"),
        ({"observed": np.ones((2, 5, 1), np.int64)}, "observed: int64"),
    ],
)
def test_other_kinds_of_arrays_are_named(changed, text):
    parts = {"inputs": np.zeros((2, 5, 1)), "outputs": np.zeros((2, 5, 1)), "lengths": np.full(2, 5)}
    with pytest.raises(DataError, match=text):
        Trajectories(**(parts | changed))
