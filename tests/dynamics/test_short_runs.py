"""Several starts climb a little, and the most likely goes on."""

import numpy as np
import pytest

from spikeline.config.molds import FitSettings
from spikeline.dynamics import StartWarning, Trajectories, fit_molds, short_runs
from spikeline.errors import NumericalError
from tests.dynamics.mixtures import three_component_data

SETTINGS = FitSettings.parse(
    {"start": {"method": "short_runs", "random_starts": 2, "short_run_steps": 3}, "em": {"most_iterations": 0}}
)


@pytest.fixture(scope="module")
def short() -> Trajectories:
    return three_component_data(2, 90, 12)[1]  # shorter than moments can be had of


def _told(fit) -> dict[str, float]:
    return {name: float(value) for name, value in (told.split(": ") for told in fit.start.notes["short_runs"])}


def test_the_most_likely_goes_on(short):
    fit = fit_molds(short, 3, 2, SETTINGS, seed=1, progress=False)
    told = _told(fit)
    assert list(told) == ["clusters", "clusters, residual_covariance", "random 0", "random 1"]
    best = fit.start.notes["best_start"]
    assert fit.start.method == "short_runs" and told[best] == max(told.values())
    assert fit.log_likelihoods[0] == pytest.approx(told[best], rel=1e-5)  # from where it had climbed to
    again = fit_molds(short, 3, 2, SETTINGS, seed=1, progress=False)
    assert again.log_likelihoods.tobytes() == fit.log_likelihoods.tobytes()
    other = _told(fit_molds(short, 3, 2, SETTINGS, seed=2, progress=False))
    assert other["random 0"] != told["random 0"]


def test_trajectories_without_moments_start_so_unless_clusters_are_asked_for(short):
    with pytest.warns(StartWarning, match="12 steps at most"):
        fallen = fit_molds(short, 3, 2, FitSettings.parse({"em": {"most_iterations": 1}}), progress=False)
    assert fallen.start.method == "short_runs" and len(fallen.start.notes["short_runs"]) == 8
    asked = FitSettings.parse({"start": {"method": "fir_kmeans"}, "em": {"most_iterations": 1}})
    alone = fit_molds(short, 3, 2, asked, progress=False)
    assert alone.start.method == "fir_kmeans" and alone.log_likelihoods[0] < fallen.log_likelihoods[0]


def test_a_start_that_cannot_climb_is_told_and_left_out(short, monkeypatch):
    climb = short_runs.fit_mixture_em

    def failing(trajectories, start, *given, **named):
        if np.array_equal(start.weights, np.full(3, 1 / 3)):  # a random one
            raise NumericalError("a likelihood of nan", "a number", "start elsewhere")
        return climb(trajectories, start, *given, **named)

    monkeypatch.setattr(short_runs, "fit_mixture_em", failing)
    fit = fit_molds(short, 3, 2, SETTINGS, progress=False)
    assert fit.start.notes["short_runs"][2:] == ["random 0: a likelihood of nan", "random 1: a likelihood of nan"]
    assert fit.start.notes["best_start"].startswith("clusters")

    def never(*_, **__):
        raise NumericalError("a likelihood of nan", "a number", "start elsewhere")

    monkeypatch.setattr(short_runs, "fit_mixture_em", never)
    with pytest.raises(NumericalError, match="none of the starts can climb"):
        fit_molds(short, 3, 2, SETTINGS, progress=False)
