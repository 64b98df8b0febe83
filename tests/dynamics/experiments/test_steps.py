"""The steps of an experiment, file to file."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pandas as pd
import pytest

from spikeline.artifacts import read_csv, seed_stream, verify_tree
from spikeline.dynamics.em.expectation_maximisation import fit_mixture_em
from spikeline.dynamics.experiments import fits as fits_module
from spikeline.dynamics.experiments.components import components_to_file
from spikeline.dynamics.experiments.data import data_to_file, task_mixture
from spikeline.dynamics.experiments.fits import fits_to_file
from spikeline.dynamics.experiments.least_squares import trajectory_responses
from spikeline.dynamics.experiments.plan import experiment_batches, experiment_tasks
from spikeline.dynamics.experiments.scoring import COLUMNS
from spikeline.dynamics.experiments.task_files import open_tasks, piece_of, tasks_in
from spikeline.dynamics.scores.iterations import iterations_to_near_final
from spikeline.dynamics.scores.matching import match_components
from spikeline.dynamics.trajectories import Trajectories
from spikeline.errors import FormatError, NumericalError
from tests.dynamics.experiments.running import SEED, make_batch, make_experiment, small

ALL = ["tensor", "tensor_em", "truth_em", "random", "random_best", "trajectory_ols"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A batch with all methods, estimators and decompositions; not to be changed."""
    settings = small(
        methods=ALL, estimators=["ustat", "stein", "stein_published"], decompositions=["smd", "rtpm"], seeds=1
    )
    return make_batch(tmp_path_factory.mktemp("made"), settings, experiment_batches(settings)["b0000"])


def test_every_method_has_its_rows_and_all_files_are_whole(made: Path) -> None:
    table = read_csv(made / "scores.csv")
    assert tuple(table.columns) == COLUMNS and verify_tree(made).ok
    of_tensor = table[table["method"] == "tensor"]
    assert len(of_tensor) == 6 and of_tensor["markov_error"].notna().all()
    stage = of_tensor[(of_tensor["estimator"] == "ustat") & (of_tensor["decomposition"] == "smd")]
    assert stage["ari"].notna().all() and of_tensor["ari"].notna().sum() == 1  # only where EM started from it
    em = table[table["method"].str.endswith("_em")].set_index("method")
    assert (em["ari"] > 0.8).all() and (em["markov_error"] < 0.3).all()
    assert em.loc["tensor_em", "estimator"] == "ustat" and pd.isna(em.loc["truth_em", "estimator"])
    one, best = (table[table["method"] == name].iloc[0] for name in ("random", "random_best"))
    assert best["nats_per_step"] >= one["nats_per_step"] and best["iterations_all_starts"] > one["iterations"]
    assert table["note"].isna().all()


def test_scores_are_of_the_files_beside_them(made: Path) -> None:
    table = read_csv(made / "scores.csv").query(
        "method == 'tensor' and estimator == 'stein' and decomposition == 'rtpm'"
    )
    with open_tasks(made / "components.h5", "components") as components, open_tasks(made / "data.h5", "data") as data:
        name = tasks_in(data)[0]
        settings = small(seeds=1)
        true = task_mixture("mine", experiment_tasks(settings)[0], SEED)
        found = components[name]["stein/rtpm"]
        match = match_components(true.responses(4), found["markov"][:])
        assert table["markov_error"].iloc[0] == pytest.approx(match.markov_error, rel=1e-8)
        l1 = np.abs(true.weights - found["weights"][:][match.estimate_of]).sum()
        assert table["weight_l1"].iloc[0] == pytest.approx(l1, rel=1e-8)


def _leaves(path: Path) -> dict[str, np.ndarray]:
    found = {}
    with h5py.File(path, "r") as file:
        file.visititems(lambda name, item: found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)
    return found


@pytest.mark.parametrize("estimator", ["ustat", "stein", "stein_published"])
@pytest.mark.parametrize("size", [7, 20])
def test_pieces_of_trajectories_add_up_to_all_of_them(estimator: str, size: int, tmp_path: Path) -> None:
    whole, cut = (
        small(methods=["tensor"], estimators=[estimator], trajectories=[60, 25], seeds=1, trajectories_per_piece=piece)
        for piece in (None, size)
    )
    folders = [
        make_batch(tmp_path / name, settings, experiment_batches(settings)["b0000"])
        for name, settings in (("whole", whole), ("cut", cut))
    ]
    assert len(list((folders[1] / "third").glob("*.h5"))) == -(-60 // size)
    for part in ("whitening", "components"):
        one, other = (_leaves(folder / f"{part}.h5") for folder in folders)
        assert one.keys() == other.keys()
        for name in one:
            if part == "whitening" and name.endswith(("forward", "back")):
                continue  # columns may change sign
            assert np.allclose(one[name], other[name], rtol=1e-9, atol=1e-12), name
    totals = []
    for folder in folders:
        parts = [_leaves(path) for path in sorted((folder / "second").glob("*.h5"))]
        names = {name for part in parts for name in part}
        totals.append({name: sum(part[name] for part in parts if name in part) for name in names})
    for name in totals[0]:
        scale = np.abs(totals[0][name]).max()
        assert np.allclose(totals[0][name], totals[1][name], rtol=0, atol=1e-12 * scale), name


def test_a_result_depends_neither_on_batches_nor_on_their_order(tmp_path: Path) -> None:
    few = {"methods": ["tensor", "tensor_em"], "fit": {"em": {"most_iterations": 4, "engine": "numpy"}}}
    tables = [
        make_experiment(tmp_path / str(size), small(trajectories=[30, 40], tasks_per_job=size, **few))
        for size in (3, 100)
    ]
    assert tables[0].read_bytes() == tables[1].read_bytes()
    assert len(read_csv(tables[0])) == 2 * 2 * 2


def test_the_same_batch_has_the_same_bytes(made: Path, tmp_path: Path) -> None:
    settings = small(
        methods=ALL, estimators=["ustat", "stein", "stein_published"], decompositions=["smd", "rtpm"], seeds=1
    )
    again = make_batch(tmp_path, settings, experiment_batches(settings)["b0000"])
    files = sorted(path.relative_to(made) for path in made.rglob("*.*") if not path.name.endswith(".json"))
    assert len(files) == 10
    for path in files:
        assert (made / path).read_bytes() == (again / path).read_bytes(), path


def test_cells_of_one_seed_are_about_the_same_systems(tmp_path: Path) -> None:
    tasks = experiment_tasks(small(trajectories=[40, 60], observation_noise=[0.05, 0.5], seeds=2))
    data_to_file(tmp_path / "data.h5", "mine", tasks, held_out=3, seed=SEED)
    with open_tasks(tmp_path / "data.h5", "data") as data:
        names = tasks_in(data)
        assert names == [task["name"] for task in tasks]
        first = [data[name] for name in names[:4]]
        assert all(np.array_equal(task["truth/A"], first[0]["truth/A"]) for task in first)
        assert {float(task["truth/R"][0, 0, 0]) for task in first} == {0.05, 0.5}
        assert not np.array_equal(data[names[4]]["truth/A"], first[0]["truth/A"])
        outputs = [data[name]["outputs"][:20] for name in names]
        assert all(not np.array_equal(outputs[0], other) for other in outputs[1:])
        assert not np.array_equal(first[0]["held_out/inputs"][:3], first[0]["inputs"][:3])


def test_trajectories_come_in_blocks_that_a_piece_may_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("spikeline.dynamics.experiments.data._BLOCK", 7)
    tasks = experiment_tasks(small(trajectories=[20, 12], seeds=1))
    data_to_file(tmp_path / "data.h5", "mine", tasks, held_out=3, seed=SEED)
    with open_tasks(tmp_path / "data.h5", "data") as data:
        many, few = (data[task["name"]] for task in tasks)
        assert len(np.unique(many["outputs"][:, 0, 0])) == 20 and few["outputs"].shape == (12, 24, 1)
        part = piece_of(many, 5, 6)
        assert len(part) == 6 and np.array_equal(part.outputs, many["outputs"][5:11])


def test_a_killed_batch_goes_on_where_it_was(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings, output, fitted = small(seeds=1).fit.em, tmp_path / "random.h5", []

    def killed(trajectories, start, *arguments, **options):
        if fitted:
            raise KeyboardInterrupt
        fitted.append(start)
        return fit_mixture_em(trajectories, start, *arguments, **options)

    monkeypatch.setattr(fits_module, "fit_mixture_em", killed)
    with pytest.raises(KeyboardInterrupt):
        fits_to_file(made / "data.h5", made / "starts.h5", output, "random", settings)
    assert not output.exists() and len(list(tmp_path.glob(".random.h5.work-*/*/*.h5"))) == 1
    assert verify_tree(tmp_path).ok  # unfinished work is no artefact

    again = []
    monkeypatch.setattr(fits_module, "fit_mixture_em", lambda *a, **o: again.append(a) or fit_mixture_em(*a, **o))
    fits_to_file(made / "data.h5", made / "starts.h5", output, "random", settings)
    assert len(again) == 1 and output.read_bytes() == (made / "em/random.h5").read_bytes()
    assert not list(tmp_path.glob(".random.h5.work-*"))


def test_work_of_other_settings_is_not_taken_up(made: Path, tmp_path: Path) -> None:
    stale = fits_module.work_folder(tmp_path / "truth.h5", "0123")
    stale.mkdir()
    fits_to_file(made / "data.h5", made / "starts.h5", tmp_path / "truth.h5", "truth", small().fit.em)
    assert not stale.exists() and (tmp_path / "truth.h5").read_bytes() == (made / "em/truth.h5").read_bytes()


def test_a_failure_is_a_note_and_not_the_end_of_a_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(tensor, draw):
        raise NumericalError("angles are still turned", "an end", "more data")

    monkeypatch.setitem(components_to_file.__globals__["_METHODS"], "smd", fails)
    monkeypatch.setattr(fits_module, "fit_mixture_em", lambda *a, **o: fails(None, None))
    table = read_csv(make_experiment(tmp_path, small(methods=["tensor", "tensor_em", "random_best"], seeds=1)))
    assert table["markov_error"].isna().all()
    assert table["note"].tolist() == ["angles are still turned"] * 2 + ["; ".join(["angles are still turned"] * 2)]


def test_a_file_of_another_step_is_refused(made: Path, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="'molds-whitening'"):
        fits_to_file(made / "data.h5", made / "whitening.h5", tmp_path / "x.h5", "truth", small().fit.em)


def test_least_squares_are_those_of_each_trajectory() -> None:
    draw = seed_stream(0, "test-least-squares")
    inputs, outputs = draw.normal(size=(3, 20, 2)), draw.normal(size=(3, 20, 2))
    data = Trajectories(inputs, outputs, np.full(3, 20))
    found = trajectory_responses(data, 3, first_lag=1)
    assert found.shape == (3, 4, 2, 2) and not found[:, 0].any()
    rows = np.array([np.concatenate([inputs[1, t - j] for j in (1, 2, 3)]) for t in range(3, 20)])
    expected = np.linalg.lstsq(rows, outputs[1, 3:], rcond=None)[0]
    assert np.allclose(found[1, 1:].swapaxes(1, 2).reshape(6, 2), expected)
    short = Trajectories(inputs[:, :5], outputs[:, :5], np.full(3, 5))
    rows = np.array([np.concatenate([inputs[2, t - j] for j in (0, 1, 2)]) for t in range(2, 5)])
    smallest = np.linalg.lstsq(rows, outputs[2, 2:5], rcond=None)[0]
    assert np.allclose(trajectory_responses(short, 3)[2].swapaxes(1, 2).reshape(6, 2), smallest)


def test_near_the_end_is_told_by_nats_per_step() -> None:
    course = np.array([-50.0, -12.0, -10.2, -10.05, -10.0])
    assert [iterations_to_near_final(course, steps) for steps in (100, 1000, 100_000)] == [3, 2, 0]
