"""Mixtures of linear systems by hand, from trajectories to components, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from spikeline.artifacts import verify_tree
from spikeline.cli import command_line
from spikeline.dynamics.trajectory_files import read_trajectories


def _run(*arguments):
    return CliRunner().invoke(command_line, ["molds", *map(str, arguments)])


@pytest.fixture(scope="module")
def trajectories(tmp_path_factory):
    path = tmp_path_factory.mktemp("molds") / "trajectories.h5"
    done = _run("simulate", "-k", 2, "--trajectories", 120, "--steps", 40, "-o", path)
    assert done.exit_code == 0 and "120 trajectories of 40 steps, 2 components" in done.output
    return path


def test_every_step_by_hand(trajectories, tmp_path):
    fit, table = tmp_path / "fit.h5", tmp_path / "components.csv"
    done = _run("fit", trajectories, "-k", 2, "-n", 2, "-o", fit, "--checkpoint", tmp_path / "state.h5")
    assert done.exit_code == 0 and "converged after" in done.output
    done = _run("predict", fit, trajectories, "-o", table)
    assert done.exit_code == 0 and "120 trajectories, 2 components met" in done.output
    found, true = pd.read_csv(table), read_trajectories(trajectories).labels
    agreement = np.mean(found["component"] == true)
    assert max(agreement, 1 - agreement) > 0.95
    assert np.allclose(found["probability_0"] + found["probability_1"], 1)
    assert not verify_tree(tmp_path).findings and not (tmp_path / "state.h5").exists()


def test_a_size_is_chosen(trajectories, tmp_path):
    fit, table = tmp_path / "fit.h5", tmp_path / "sizes.csv"
    done = _run("select", trajectories, "-k", "1,2", "-n", 2, "--table", table, "-o", fit)
    assert done.exit_code == 0 and "2 components of 2 states, chosen by bic" in done.output
    scores = pd.read_csv(table)
    assert list(scores["components"]) == [1, 2] and scores["bic"].idxmin() == 1
    assert not verify_tree(tmp_path).findings


def test_arrays_of_the_users(trajectories, tmp_path):
    data = read_trajectories(trajectories)
    np.savez(tmp_path / "mine.npz", inputs=data.inputs, outputs=data.outputs)
    settings = "{em: {feedthrough: false, most_iterations: 3}}"
    done = _run("fit", tmp_path / "mine.npz", "-k", 2, "-n", 1, "--settings", settings, "-o", tmp_path / "fit.h5")
    assert done.exit_code == 0 and "not converged yet after 3 iterations" in done.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("simulate", "-k", 0, "-o", "{out}"), "--components 0"),
        (("fit", "{data}", "-k", 0, "-n", 2, "-o", "{out}"), "0 components"),
        (
            ("fit", "{data}", "-k", 2, "-n", 2, "--settings", "{em: {feedthru: 1}}", "-o", "{out}"),
            "nearest key is feedt",
        ),
        (("select", "{data}", "-k", "1,two", "-n", "2", "-o", "{out}"), "--components 1,two"),
        (("fit", "none.npz", "-k", 2, "-n", 2, "-o", "{out}"), "none.npz does not exist"),
        (("predict", "{data}", "{data}", "-o", "{out}"), "schema 'trajectories'"),
    ],
)
def test_what_cannot_be_done_says_why(trajectories, tmp_path, arguments, message):
    out = tmp_path / "out"
    names = {"{data}": trajectories, "{out}": out}
    done = _run(*(names.get(argument, argument) for argument in arguments))
    assert done.exit_code == 2 and message in done.output and "what to do" in done.output
    assert not out.exists()
