"""Random starts beside Tensor-EM."""

from __future__ import annotations

from pathlib import Path

import pytest

from spikeline.artifacts import read_json, seed_stream
from spikeline.dynamics.experiments import random_ratio
from spikeline.dynamics.experiments.data import task_mixture
from spikeline.dynamics.experiments.plan import experiment_tasks
from spikeline.dynamics.experiments.random_ratio import random_beside_tensor, write_random_ratio
from spikeline.dynamics.simulated.generator import simulate_mixture
from spikeline.errors import NumericalError
from tests.dynamics.experiments.running import small


@pytest.fixture(scope="module")
def mixture():
    return task_mixture("mine", experiment_tasks(small())[0], 5)


def measured(mixture) -> dict:
    data = simulate_mixture(mixture.systems, mixture.weights, 40, 24, seed_stream(0, "test-ratio"))
    return random_beside_tensor(mixture, data, 3)


def test_random_starts_are_fitted_until_the_time_is_up(mixture) -> None:
    case = measured(mixture)
    ours, random = case["tensor_em"], case["random"]
    assert random["starts"] >= 1 and random["seconds"] >= ours["seconds"]
    assert case["ratio"] == pytest.approx(random["markov_error"] / ours["markov_error"])
    assert random["iterations"] >= random["starts"] and ours["iterations"] >= 1


def test_a_start_that_fails_costs_its_time_and_another_is_drawn(mixture, monkeypatch: pytest.MonkeyPatch) -> None:
    calls, fit = [], random_ratio.fit_mixture_em

    def second_fails(*arguments, **options):
        calls.append(arguments)
        if len(calls) == 2:
            raise NumericalError("no", "yes", "again")
        return fit(*arguments, **options)

    monkeypatch.setattr(random_ratio, "fit_mixture_em", second_fails)
    case = measured(mixture)
    assert case["random"]["failed"] == 1 and case["random"]["starts"] == len(calls) - 2 >= 1


def test_the_headline_is_the_median_over_mixtures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ratios = iter([3.0, 1.0, 8.0])
    monkeypatch.setattr(random_ratio, "random_beside_tensor", lambda *_: {"ratio": next(ratios)})
    write_random_ratio(tmp_path / "ratio.json", seed=1, trajectories=5, steps=24, seeds=3)
    document = read_json(tmp_path / "ratio.json")
    assert document["headline"] == {"molds.em.best_of_random_ratio": 3.0} and len(document["cases"]) == 3
