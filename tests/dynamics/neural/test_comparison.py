"""Sizes, methods, groups, stability and tables on a small simulated day, whose answers are known."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from spikeline.artifacts import read_json, verify_tree
from spikeline.config.molds import NeuralSessionSettings
from spikeline.dynamics.fit import fit_molds
from spikeline.dynamics.neural.grouping import in_order_of_direction, named_alike
from spikeline.dynamics.neural.neural_trajectories import TEST, TRAIN, VALIDATION
from spikeline.dynamics.neural.prediction import explained_share
from spikeline.dynamics.neural.size_batches import size_batches
from spikeline.dynamics.neural.stability import posterior_entropy
from spikeline.dynamics.neural.steps import (
    comparison_to_files,
    session_to_files,
    sizes_to_file,
    stability_to_files,
)
from spikeline.dynamics.selection import SizeScore, best_size, scored_sizes
from spikeline.errors import ConfigError, DataError
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
    folder = tmp_path_factory.mktemp("neural")
    names = {"session": "s.h5", "trajectories": "t.h5", "delays": "delays.csv", "facts": "facts.csv"}
    session_to_files("simulated", SESSION, SHORT, {key: str(folder / name) for key, name in names.items()}, seed=4)
    for batch, sizes in enumerate([[(3, 1), (2, 1)], [(4, 1)]]):
        sizes_to_file(folder / "t.h5", sizes, SHORT, folder / f"{batch}.csv", seed=4)
    tables = ("selection", "labels", "methods", "prediction", "responses", "similarity")
    outputs = {name: str(folder / f"{name}.csv") for name in tables}
    outputs |= {"fit": str(folder / "fit.h5"), "headlines": str(folder / "headlines.json")}
    comparison_to_files(
        "simulated", folder / "t.h5", [folder / "0.csv", folder / "1.csv"], SHORT, SESSION.horizons, outputs, seed=4
    )
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
    assert methods.loc["tensor_em", "ari_truth"] > 0.95
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
    headlines = read_json(made / "headlines.json")["molds"]["neural"]["simulated"]
    assert headlines["components"] == 3 and headlines["ari_truth"] > 0.95


def test_a_data_set_without_a_folder_is_named(tmp_path: Path) -> None:
    settings = SESSION.model_copy(update={"dataset": "chewie_2013_10_03"})
    with pytest.raises(ConfigError, match="there is no data_root"):
        session_to_files("s", settings, SHORT, {}, seed=1)
