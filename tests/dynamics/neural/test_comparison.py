"""Sizes, methods, groups, stability and tables on a small simulated day, whose answers are known."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from spikeline.artifacts import file_checksum, read_json, verify_tree
from spikeline.config.molds import NeuralSessionSettings
from spikeline.dynamics.fit import fit_molds
from spikeline.dynamics.fitted import FittedMolds
from spikeline.dynamics.neural.grouping import in_order_of_direction, named_alike
from spikeline.dynamics.neural.methods import _climbed, group_systems
from spikeline.dynamics.neural.neural_trajectories import TEST, TRAIN, VALIDATION
from spikeline.dynamics.neural.prediction import explained_share
from spikeline.dynamics.neural.simulated_session import simulated_session
from spikeline.dynamics.neural.size_batches import size_batches
from spikeline.dynamics.neural.stability import posterior_entropy
from spikeline.dynamics.neural.steps import (
    comparison_to_files,
    session_to_files,
    sizes_to_file,
    stability_to_files,
)
from spikeline.dynamics.selection import SizeScore, best_size, scored_sizes
from spikeline.dynamics.trajectories import Trajectories
from spikeline.errors import ConfigError, DataError, NumericalError
from tests.dynamics.neural.sessions import SESSION, SHORT, day

# That a component does not stand out before EM is no matter here
pytestmark = pytest.mark.filterwarnings("ignore::spikeline.dynamics.StartWarning")


def test_batches_hold_every_size_once() -> None:
    settings = NeuralSessionSettings(components=[1, 2, 3, 3], states=[1, 2])
    batches = size_batches(settings, 4)
    assert len(batches) == 2 and max(map(len, batches)) <= 4
    assert sorted(size for batch in batches for size in batch) == [(K, n) for K in (1, 2, 3) for n in (1, 2)]


def test_scores_are_those_of_the_fits_and_impossible_sizes_say_why() -> None:
    data = day()
    scores = scored_sizes(data.of(TRAIN), [(2, 1), (60, 1)], SHORT.fit, 3, validation=data.of(VALIDATION))
    fit = fit_molds(data.of(TRAIN), 2, 1, SHORT.fit, seed=3, progress=False)
    train = data.of(TRAIN)
    assert scores[0].likelihood == pytest.approx(fit.log_likelihood(train).sum() / (len(train) * 42 * 6))
    assert scores[0].bic == pytest.approx(
        -2 * fit.log_likelihood(train).sum() + scores[0].parameters * math.log(len(train))
    )
    assert "60" in scores[1].problem and math.isnan(scores[1].bic)
    assert best_size(scores, "bic") == (2, 1)
    with pytest.raises(DataError, match="none of 1 sizes could be fitted"):
        best_size(scores[1:], "bic")


def test_the_criterion_chooses() -> None:
    scores = [
        SizeScore(1, 1, 10, bic=5.0, validation_bic=1.0, validation_likelihood=-3.0),
        SizeScore(2, 1, 20, bic=4.0, validation_bic=2.0, validation_likelihood=-2.0),
        SizeScore(3, 1, 30, bic=4.0, validation_bic=3.0, validation_likelihood=-1.0),
    ]
    assert [best_size(scores, name) for name in ("bic", "validation_bic", "validation_likelihood")] == [
        (2, 1), (1, 1), (3, 1),
    ]  # fmt: skip


def test_groups_are_named_alike() -> None:
    reference = np.array([0, 0, 0, 1, 1, 2])
    np.testing.assert_array_equal(named_alike(np.array([2, 2, 2, 0, 0, 1]), reference), reference)
    more = named_alike(np.array([3, 3, 1, 0, 0, 2]), reference)
    assert more[0] == 0 and more[3] == 1 and more[5] == 2 and more[2] == 3


def test_components_come_in_the_order_of_their_directions() -> None:
    data = day()
    fit = fit_molds(data.of(TRAIN), 3, 2, SHORT.fit, seed=3, progress=False)
    labels = fit.predict(data.trajectories)
    ordered = in_order_of_direction(fit, labels, data.directions_deg)
    assert ordered.predict(data.trajectories[data.directions_deg == 45.0])[0] == 0
    assert ordered.predict(data.trajectories[data.directions_deg == 180.0])[0] == 1
    assert ordered.predict(data.trajectories[data.directions_deg == 270.0])[0] == 2
    np.testing.assert_allclose(ordered.log_likelihood(data.trajectories), fit.log_likelihood(data.trajectories))


def test_explained_share_is_one_for_the_truth_and_zero_for_the_mean() -> None:
    test = day().of(TEST)
    assert explained_share(test.outputs, test, 4) == (1.0, len(test) * 38 * 6)
    assert explained_share(np.zeros_like(test.outputs), test, 4)[0] == 0.0
    with pytest.raises(DataError, match="more than 42 steps"):
        explained_share(test.outputs, test, 42)


def test_entropy() -> None:
    posterior = np.array([[1.0, 0.0], [0.5, 0.5], [0.25, 0.75]])
    np.testing.assert_allclose(posterior_entropy(posterior), [0, 1, 0.811278], atol=1e-6)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All steps on a simulated day, with few iterations."""
    return all_steps(tmp_path_factory.mktemp("neural"), SESSION, [[(3, 1), (2, 1)], [(4, 1)]])


def all_steps(
    folder: Path, session: NeuralSessionSettings, batches: list[list[tuple[int, int]]], **source: Path
) -> Path:
    """Tables and fit of a session called ``day``, in a folder."""
    names = {"session": "s.h5", "trajectories": "t.h5", "delays": "delays.csv", "facts": "facts.csv"}
    outputs = {key: str(folder / name) for key, name in names.items()}
    session_to_files("day", session, SHORT, outputs, seed=4, **source)
    for batch, sizes in enumerate(batches):
        sizes_to_file(folder / "t.h5", sizes, SHORT, folder / f"{batch}.csv", seed=4)
    tables = ("selection", "labels", "methods", "prediction", "responses", "similarity")
    outputs = {name: str(folder / f"{name}.csv") for name in tables}
    outputs |= {"fit": str(folder / "fit.h5"), "headlines": str(folder / "headlines.json")}
    scores = [folder / f"{batch}.csv" for batch in range(len(batches))]
    comparison_to_files("day", folder / "t.h5", scores, SHORT, session.horizons, outputs, seed=4)
    outputs = {name: str(folder / f"{name}.csv") for name in ("subsets", "single_trials")}
    stability_to_files(folder / "t.h5", folder / "fit.h5", SHORT, outputs, seed=4)
    return folder


def test_the_steps_find_what_was_simulated(made: Path) -> None:
    assert verify_tree(made).ok
    delays = pd.read_csv(made / "delays.csv")
    assert delays.loc[delays["chosen"], "delay_ms"].tolist() == [40.0]
    selection = pd.read_csv(made / "selection.csv")
    assert selection.loc[selection["chosen"], ["components", "states"]].to_numpy().tolist() == [[3, 1]]
    methods = pd.read_csv(made / "methods.csv").set_index("method")
    assert methods.loc["tensor_em", "ari_truth"] > 0.95 and methods.loc["tensor_em", "start"] == "tensor"
    facts = pd.read_csv(made / "facts.csv").set_index("fact")["value"]
    # a smooth movement of two inputs, over the lags of responses
    assert facts["input_rank"] == facts["input_dimension"] == 2 * facts["input_lags"]
    assert 1 < facts["input_condition"] < 1e6 and facts["input_correlation"] > facts["input_correlation_filtered"]
    assert methods.loc["directions", "bits"] == pytest.approx(3.0, abs=0.01)
    assert methods.loc["one_system", "groups"] == 1 and methods.loc["one_system", "bits"] == 0
    labels = pd.read_csv(made / "labels.csv")
    own = labels[labels["method"] == "tensor_em"]
    assert (own["label"] == own["truth"]).mean() > 0.95 and own["entropy_bits"].max() <= math.log2(3)
    prediction = pd.read_csv(made / "prediction.csv").pivot(index="method", columns="bins_ahead", values="r2")
    assert prediction.loc["tensor_em", 1] > prediction.loc["one_system", 1] + 0.1
    assert prediction.loc["tensor_em", 4] > prediction.loc["one_system", 4] + 0.2
    similarity = pd.read_csv(made / "similarity.csv").pivot(index="sector", columns="component", values="cosine")
    assert similarity.idxmax(axis=1).tolist() == [0, 0, 0, 1, 1, 1, 2, 2]
    subsets = pd.read_csv(made / "subsets.csv", dtype={"other": str})
    assert len(subsets) == 3 and set(subsets["other"]) == {"all", "0"}
    headlines = read_json(made / "headlines.json")["molds"]["neural"]["day"]
    assert headlines["components"] == 3 and headlines["ari_truth"] > 0.95


@pytest.fixture(scope="module")
def short_trials(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All steps on counts in bins of 100 ms, eight to a trial, from a file: too few for moments."""
    folder = tmp_path_factory.mktemp("counts")
    day = simulated_session(3, n_trials=96).binned(0.1, align="go", window_s=(-0.3, 0.5))
    np.savez(
        folder / "counts.npz",
        rates_hz=day.counts / day.bin_s,
        bin_s=day.bin_s,
        trial_ptr=day.trial_pointers,
        bin_index=day.steps,
        reach_label=np.repeat((90 - day.column("direction_deg")) / 45 % 8, day.lengths).astype(np.int64),
        velocity=day.behaviour["hand_velocity"],
        position=np.zeros((day.n_bins, 2)),
        acceleration=np.zeros((day.n_bins, 2)),
        force=np.zeros((day.n_bins, 2)),
    )
    entry = {
        "title": "Counts", "path": "counts.npz", "reader": "binned_session_npz", "source": "made here", "version": "1",
        "sha256": file_checksum(folder / "counts.npz"), "licence": "none",
    }  # fmt: skip
    (folder / "datasets.yaml").write_text(json.dumps({"counts": entry}))
    changes = {"dataset": "counts", "align": None, "bin_ms": 100.0, "delays_ms": [0.0], "horizons": [1, 2]}
    session = SESSION.model_copy(update={**changes, "fewest_bins": 6})
    return all_steps(folder, session, [[(2, 1), (3, 1)]], data_root=folder, dataset_table=folder / "datasets.yaml")


def test_trials_too_short_for_moments_are_fitted_after_short_runs(short_trials: Path) -> None:
    methods = pd.read_csv(short_trials / "methods.csv").set_index("method")
    assert methods.loc["tensor_em", "start"] == "short_runs" and len(methods) == 8
    assert set(pd.read_csv(short_trials / "selection.csv")["start"]) == {"short_runs"}
    prediction = pd.read_csv(short_trials / "prediction.csv").pivot(index="method", columns="bins_ahead", values="r2")
    assert prediction.notna().all().all()
    assert prediction.loc["tensor_em", 1] > prediction.loc["one_system", 1] > 0
    facts = pd.read_csv(short_trials / "facts.csv").set_index("fact")["value"]
    assert facts["median_bins"] == 8 and facts["input_rank"] == facts["input_dimension"]
    assert len(pd.read_csv(short_trials / "subsets.csv")) == 3


def test_groups_without_trials_enough_have_no_system() -> None:
    train = day().of(TRAIN)
    groups = np.where(np.arange(len(train)) < 2, 7, 3)
    cut = Trajectories(train.inputs, train.outputs, np.where(groups == 7, 2, train.lengths))
    assert list(group_systems(cut, groups, 2, SHORT.fit, 1)) == [3]


def test_random_starts_that_cannot_climb_are_told() -> None:
    def fitted(index: int) -> FittedMolds:
        if index != 1:
            raise NumericalError("a likelihood of nan", "a finite one", "scale")
        return fit_molds(day().of(TRAIN), 1, 1, SHORT.fit, progress=False)

    fits, words = _climbed(fitted, 3)
    assert len(fits) == 1 and words == " (2 more could not climb)"
    with pytest.raises(NumericalError, match="likelihood of nan"):
        _climbed(fitted, 1)


def test_a_data_set_without_a_folder_is_named(tmp_path: Path) -> None:
    settings = SESSION.model_copy(update={"dataset": "chewie_2013_10_03"})
    with pytest.raises(ConfigError, match="there is no data_root"):
        session_to_files("s", settings, SHORT, {}, seed=1)
