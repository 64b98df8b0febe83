from dataclasses import replace

import numpy as np
import pytest

from spikeline.dynamics.em.fit_checks import check_fit
from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.trajectories import Trajectories
from spikeline.errors import DataError
from tests.dynamics.mixtures import three_component_data, three_systems


def _case():
    return three_component_data(3, 6, 8)[1], Mixture(tuple(three_systems(3)), np.full(3, 1 / 3))


def test_what_fits_passes():
    check_fit(*_case())


def test_other_numbers_of_inputs_are_named():
    data, mixture = _case()
    more = replace(data, inputs=np.zeros((6, 8, 2)))
    with pytest.raises(DataError, match="2 inputs and 1 outputs, and systems of 1 and 1"):
        check_fit(more, mixture)


def test_too_few_steps_are_named():
    data, mixture = _case()
    short = Trajectories(data.inputs[:3], data.outputs[:3], np.array([2, 1, 2]))
    with pytest.raises(DataError, match=r"2 steps that have a next one(.|\n)*at least 3"):
        check_fit(short, mixture)


def test_more_components_than_trajectories_are_named():
    data, mixture = _case()
    with pytest.raises(DataError, match="2 trajectories for 3 components"):
        check_fit(data[:2], mixture)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda outputs, observed: outputs.fill(0.3), "output 0 is 0.3 in every step"),
        (lambda outputs, observed: observed.fill(False), "output 0 was never observed"),
        (lambda outputs, observed: outputs.__imul__(1e120), "output 0 reaches"),
    ],
)
def test_outputs_that_nothing_can_be_learnt_from_are_named(change, message):
    data, mixture = _case()
    outputs, observed = data.outputs.copy(), np.ones(data.outputs.shape, bool)
    change(outputs, observed)
    with pytest.raises(DataError, match=message):
        check_fit(replace(data, outputs=outputs, observed=observed), mixture)


def test_only_observed_outputs_count():
    data, mixture = _case()
    observed = np.zeros(data.outputs.shape, bool)
    observed[:, ::2] = True
    constant_where_seen = np.where(observed, 1.0, data.outputs)
    with pytest.raises(DataError, match="in every step"):
        check_fit(replace(data, outputs=constant_where_seen, observed=observed), mixture)
