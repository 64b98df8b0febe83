"""Numbers of components and states, chosen among fits of one mixture whose numbers are known."""

import math

import pytest

from spikeline.config.molds import FitSettings
from spikeline.dynamics import Trajectories, select_molds
from spikeline.dynamics.selection import SizeSelection
from spikeline.errors import DataError
from tests.dynamics.mixtures import three_component_data

SETTINGS = FitSettings()


@pytest.fixture(scope="module")
def data() -> Trajectories:
    return three_component_data(0, 400, 60)[1]


@pytest.fixture(scope="module")
def chosen(data) -> SizeSelection:
    return select_molds(data[:300], (2, 3, 200), (1, 2), validation=data[300:], seed=5, progress=False)


def test_the_true_numbers_are_chosen(chosen, data):
    assert (chosen.best.mixture.n_components, chosen.best.mixture.n_states) == (3, 2)
    assert [(score.components, score.states) for score in chosen.scores] == [
        (2, 1), (2, 2), (3, 1), (3, 2), (200, 1), (200, 2),
    ]  # fmt: skip
    own = chosen.scores[3]
    assert own.bic == chosen.best.bayesian_information(data[:300]).by_trajectories
    assert own.validation_bic == chosen.best.bayesian_information(data[300:]).by_trajectories
    assert own.validation_likelihood == max(score.validation_likelihood for score in chosen.scores[:4])


def test_a_size_that_cannot_be_fitted_says_why(chosen):
    for score in chosen.scores[4:]:
        assert score.problem and math.isnan(score.bic)


@pytest.mark.parametrize("criterion", ["validation_bic", "validation_likelihood"])
def test_trajectories_left_out_choose_too(data, criterion):
    made = select_molds(data[:300], (2, 3), (2,), validation=data[300:], criterion=criterion, progress=False)
    assert made.criterion == criterion and made.best.mixture.n_components == 3


def test_numbers_may_be_told_one_by_one(data):
    few = FitSettings.parse({"em": {"most_iterations": 1}})
    made = select_molds(data[:40], iter((1, 2)), iter((1, 2)), few, progress=False)
    assert [(score.components, score.states) for score in made.scores] == [(1, 1), (1, 2), (2, 1), (2, 2)]


def test_what_cannot_be_chosen_says_why(data):
    few = data[:20]
    with pytest.raises(DataError, match="one of bic, validation_bic"):
        select_molds(few, (1,), (1,), criterion="aic", progress=False)
    with pytest.raises(DataError, match="no trajectories to validate on"):
        select_molds(few, (1,), (1,), criterion="validation_bic", progress=False)
    with pytest.raises(DataError, match="0 trajectories to validate on, without an observed output"):
        select_molds(few, (1,), (1,), validation=data[:0], progress=False)
    with pytest.raises(DataError, match="none of 0 sizes"):
        select_molds(few, (), (1,), progress=False)
    with pytest.raises(DataError, match="none of 1 sizes could be fitted, for: 20 trajectories for 21"):
        select_molds(few, (21,), (1,), progress=False)
