"""EM beside dynamax's: small, untimed, with a pretender in dynamax's place."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from spikeline.artifacts import read_json
from spikeline.dynamics.benchmarks import dynamax_over_ours
from spikeline.dynamics.benchmarks.dynamax_layouts import fastest_layout, write_em_layout
from spikeline.dynamics.benchmarks.dynamax_over_ours import (
    check_agreement,
    compare_em,
    effort_for,
    headline,
    write_dynamax_over_ours,
    write_em_comparison,
)
from spikeline.dynamics.benchmarks.em_problems import EM_PROBLEMS, MAIN, EMProblem, em_problem
from spikeline.dynamics.benchmarks.em_runs import our_em, write_em_problem
from spikeline.dynamics.benchmarks.sharded_moments import sharded_moments, write_sharded_moments
from spikeline.dynamics.moments.ustat_moments import ustat_second_moment
from spikeline.errors import DataError, NumericalError

SMALL = EMProblem(trajectories=20, steps=10, states=2, outputs=2, components=2)
# Instead of dynamax: the reference smoother, and an M-step by least squares; or as its layout says.
PRETENDER = """
import json, sys
import numpy as np
from spikeline.dynamics.em.numpy_engine import NumpyEngine
from spikeline.dynamics.mixture import Mixture
from spikeline.dynamics.systems import LinearSystem
from spikeline.dynamics.trajectories import Trajectories

job = json.load(open(sys.argv[1]))
if job["layout"] == "failing":
    sys.exit("no such layout")
file = np.load(job["data"])
names = ("A", "B", "C", "D", "Q", "R", "mu", "S")
systems = [LinearSystem(*(file[name][k] for name in names)) for k in range(len(file["weights"]))]
weights, n = file["weights"], systems[0].A.shape[0]
u = file["inputs"]
engine = NumpyEngine(Trajectories(u, file["outputs"], np.full(len(u), u.shape[1])))
history = []
for _ in range(job["iterations"] + job["warm_up"]):
    made = engine.expectation(Mixture(tuple(systems), weights))
    history.append(float(made.log_likelihoods.sum()) * (1.1 if job["layout"] == "wrong" else 1.0))
    for k, s in enumerate(made.statistics):
        AB = np.linalg.solve(s.zz_next, s.xz_next.T).T
        C = np.linalg.solve(s.zz_all[:n, :n], s.yz_all[:, :n].T).T
        mu = s.first / s.n_first
        systems[k] = LinearSystem(
            AB[:, :n], AB[:, n:], C, np.zeros_like(systems[k].D), (s.xx_next - AB @ s.xz_next.T) / s.n_next,
            (s.yy_all - C @ s.yz_all[:, :n].T) / s.n_all, mu, s.first_square / s.n_first - np.outer(mu, mu),
        )
    weights = made.responsibilities.mean(axis=0)
seconds = {"slow": 4.0, "fast": 2.0, "wrong": 1.0}[job["layout"]]
json.dump(
    {"seconds": seconds, "each_s": [seconds], "compile_s": 1.0, "log_likelihoods": history, "peak_mb": 100.0},
    open(sys.argv[2], "w"),
)
"""


def _layout(name):
    return {"layout": name, "at_once": 200, "devices": 1}


@pytest.fixture
def peer(tmp_path):
    program = tmp_path / "pretender.py"
    program.write_text(PRETENDER)
    return [sys.executable, str(program)]


def test_the_fastest_layout_that_runs_is_chosen_on_few_trajectories(peer):
    layouts = [_layout(name) for name in ("slow", "failing", "fast")]
    made = fastest_layout(SMALL, peer, 1, threads=1, layouts=layouts)
    assert made["fastest"] == _layout("fast")
    assert len(made["trials"]) == 3 and sum("failed" in trial for trial in made["trials"].values()) == 1
    with pytest.raises(DataError, match="no layout of dynamax's EM ran on N200-T10"):
        fastest_layout(SMALL, peer, 1, threads=1, layouts=[_layout("failing")])


def test_both_sides_are_measured_on_one_problem(peer):
    made = compare_em(SMALL, peer, _layout("fast"), 1, threads=1, iterations=2, turns=1)
    assert made["log_likelihood_difference"] < 1e-9 and 0 < made["log_likelihood_difference_float32"] < 1e-3
    ours = made["runs"]["ours"][0]
    assert made["ratio"] == pytest.approx(2.0 / ours["seconds"])
    assert len(ours["each_s"]) == 3 and len(ours["log_likelihoods"]) == 3
    assert made["ours"]["trajectory_steps_per_s"] == pytest.approx(200 / ours["seconds"])
    assert made["dynamax"]["peak_mb"] == 100


def test_times_of_sides_that_do_not_agree_are_not_compared(peer):
    with pytest.raises(NumericalError, match="before M-step 0"):
        compare_em(SMALL, peer, _layout("wrong"), 1, threads=1, iterations=1, turns=1)
    assert check_agreement([-10.0, -9.0, -8.0], [-10.0, -9.0 + 1e-7]) == pytest.approx(1e-7 / 9)


def test_a_ratio_near_the_bar_gets_more_turns(peer):
    made = compare_em(SMALL, peer, _layout("fast"), 1, threads=1, iterations=1, turns=1, more_turns_below=1e9)
    assert len(made["runs"]["dynamax"]) == 3


def test_problems_are_those_of_the_grid():
    assert len(EM_PROBLEMS) == 3**4 + 1 and EM_PROBLEMS[MAIN.name] == MAIN
    assert em_problem("N100-T50-n30-q64") == EMProblem(trajectories=100, steps=50, states=30, outputs=64)
    with pytest.raises(DataError, match="no problem 'N7'"):
        em_problem("N7")
    assert effort_for(MAIN)["iterations"] > effort_for(em_problem("N10000-T1000-n3-q2"))["iterations"]


def test_the_headline_and_the_worst(peer, tmp_path, monkeypatch):
    cases = {MAIN.name: {"ratio": 5.0}, "other": {"ratio": 2.0}}
    assert headline(cases) == {
        "benchmark.molds.dynamax_over_ours": 5.0,
        "benchmark.molds.dynamax_over_ours_worst": 2.0,
    }
    monkeypatch.setattr(dynamax_over_ours, "MAIN", SMALL)
    monkeypatch.setattr(fastest_layout, "__kwdefaults__", {"threads": 1, "layouts": [_layout("fast")]})
    write_em_layout(tmp_path / "layout.json", peer, SMALL, seed=1, threads=1)
    write_em_comparison(tmp_path / "part.json", peer, tmp_path / "layout.json", SMALL, seed=1, threads=1)
    ratio = read_json(tmp_path / "part.json")["ratio"]
    monkeypatch.setattr(dynamax_over_ours, "run_child", lambda *_: {"compile_s": 9.0})
    write_dynamax_over_ours(tmp_path / "made.json", [tmp_path / "part.json"], seed=1, threads=1)
    made = read_json(tmp_path / "made.json")
    assert made["headline"]["benchmark.molds.dynamax_over_ours"] == ratio > 0
    assert made["cases"]["compiling"]["ours_s"] == 9


def test_a_problem_is_the_same_whenever_it_is_written(tmp_path):
    for problem in (SMALL, EMProblem(trajectories=5, steps=4, components=3, overlapping=True)):
        for name in ("a", "b"):
            write_em_problem(tmp_path / f"{name}.npz", problem, 3)
        first, second = np.load(tmp_path / "a.npz"), np.load(tmp_path / "b.npz")
        assert all(np.array_equal(first[name], second[name]) for name in first.files)
    assert (first["A"] == first["A"][0]).all()  # components that are the same


def test_components_that_overlap_share_in_every_trajectory(tmp_path):
    problem = EMProblem(trajectories=6, steps=30, components=3, overlapping=True)
    write_em_problem(tmp_path / "data.npz", problem, 1)
    ran = our_em(str(tmp_path / "data.npz"), iterations=1, warm_up=0, threads=1)
    assert len(ran["log_likelihoods"]) == 1 and ran["peak_mb"] > 10 and ran["prepare_s"] > 0


def test_moments_in_shards(tmp_path, monkeypatch):
    seen = []

    def counted(part, lags):
        seen.append(len(part))
        return ustat_second_moment(part, lags)

    monkeypatch.setattr("spikeline.dynamics.benchmarks.sharded_moments.ustat_second_moment", counted)
    ran = sharded_moments(trajectories=50, steps=40, shard=20, seed=1)
    assert seen == [20, 20, 10] and ran["seconds"] > 0 and ran["simulation_s"] > 0
    write_sharded_moments(tmp_path / "made.json", seed=1, trajectories=60, steps=40, shard=30)
    made = read_json(tmp_path / "made.json")["headline"]
    assert 0 < made["benchmark.molds.moments_peak_gib"] < 1 and made["benchmark.molds.moments_seconds"] > 0
