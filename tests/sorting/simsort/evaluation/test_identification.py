from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import adjusted_rand_score

from spikeline.artifacts import seed_stream
from spikeline.data.readers import Snippets
from spikeline.errors import DataError
from spikeline.sorting.simsort.evaluation.clusterings import CLUSTERINGS
from spikeline.sorting.simsort.evaluation.cut_spikes import CutSpikes, cut_true_spikes
from spikeline.sorting.simsort.evaluation.embedding_tables import plane_of_units
from spikeline.sorting.simsort.evaluation.features import FEATURES, scatter_within
from spikeline.sorting.simsort.evaluation.identification_scores import (
    ClusteredSpikes,
    cluster_spikes_again,
    identification_scores,
    mean_over_draws,
)
from spikeline.sorting.simsort.evaluation.identification_tables import (
    identification_tables,
    snippet_identification_tables,
)
from spikeline.sorting.simsort.evaluation.network_view import network_view


@pytest.fixture(scope="module")
def tables(easy, networks):
    recording, _, truth = easy
    return identification_tables(recording, truth, networks, name="easy", seed=3, jitter=(0.0, 1.0, 0.0))


def _group(unit_index, found):
    """Spikes of which only units and clusters matter."""
    index = np.asarray(unit_index, np.int64)
    times = np.arange(len(index))
    cut = CutSpikes(np.zeros((len(index), 1), np.float32), times, times, 1e4, index)
    labels = {(f, c): np.asarray(found, np.int64) for f in FEATURES for c in CLUSTERINGS}
    return ClusteredSpikes(cut, {}, labels)


def test_easy_units_are_told_apart(tables):
    scores = tables["scores"]
    assert len(scores) == len(FEATURES) * len(CLUSTERINGS)
    assert set(scores["recording"]) == {"easy"} and set(scores["data"]) == {"simulated"}
    own = scores.set_index(["feature", "clustering"])["ari"]
    assert (own.unstack()["oracle_mixture"] > 0.98).all() and (own.unstack()["mixture"] > 0.9).all()
    assert scores["ari_large"].tolist() == scores["ari"].tolist()  # all units are large


def test_jitter_makes_it_harder(tables, easy, networks):
    recording, _, truth = easy
    harder = identification_tables(recording, truth, networks, name="easy", seed=3)["scores"]
    both = pd.concat([tables["scores"], harder], keys=["aligned", "jittered"])
    means = both.groupby(level=0)["ari"].mean()
    assert means["jittered"] < means["aligned"]


def test_indices_are_means_over_draws_of_the_jitter(easy, networks):
    recording, _, truth = easy
    scores = identification_tables(recording, truth, networks, name="easy", seed=3, draws=3)["scores"]
    scores = scores.set_index(["feature", "clustering"])
    view = network_view(recording, networks)
    cuts = [cut_true_spikes(view, truth, name="easy", seed=3, draw=draw) for draw in range(3)]
    assert not np.array_equal(cuts[0][0].peaks, cuts[1][0].peaks)
    each = [
        identification_scores([cluster_spikes_again(cut, networks) for cut in own], truth.snr > 5).set_index("feature")
        for own in cuts
    ]
    for feature in ("embedding", "pca", "pca_told"):
        row, own = scores.loc[feature, "mixture"], [table.loc[feature] for table in each]
        assert row["draws"] == 3 and row["ari"] == pytest.approx(np.mean([part["ari"] for part in own]))
        assert row["ari_sd"] == pytest.approx(np.std([part["ari"] for part in own], ddof=1))
        assert row["n_clusters"] == pytest.approx(np.mean([part["n_clusters"] for part in own]))
    single = scores[scores["draws"] == 1]
    assert len(single) == len(scores) - 3 and single["ari_sd"].isna().all()


def test_means_keep_the_order_and_what_was_scored_once():
    first, second = _group([0, 0, 1, 1, 1], [0, 0, 1, 1, -1]), _group([0, 0, 1, 1, 1], [0, 0, 1, 1, 1])
    second = replace(second, found={("pca", "mixture"): second.found["pca", "mixture"]})
    large = np.array([True, False])
    whole, part = identification_scores([first], large), identification_scores([second], large)
    mean = mean_over_draws([whole, part])
    assert mean[["feature", "clustering"]].equals(whole[["feature", "clustering"]])
    again = (mean["feature"] == "pca") & (mean["clustering"] == "mixture")
    np.testing.assert_allclose(mean["ari"][again], (whole["ari"][again] + 1) / 2)
    assert mean["ari"][~again].equals(whole["ari"][~again])
    assert mean["draws"].tolist() == [1 + twice for twice in again]


def test_points_and_outlines_are_of_the_same_spikes(tables, easy):
    points, outlines = tables["points"], tables["outlines"]
    counts = points.groupby("feature").size()
    assert counts.to_dict() == dict.fromkeys({*FEATURES} - {"pca_told"}, len(easy[2].spike_samples))
    for feature, own in points.groupby("feature"):
        found = outlines[outlines["feature"] == feature].set_index("found")
        for cluster, members in own[own["found"] >= 0].groupby("found"):
            if len(members) < 15:
                continue
            assert found.loc[cluster, "n"] == len(members)
            assert found.loc[cluster, "x"] == pytest.approx(members["x"].mean())
            assert found.loc[cluster, "xy"] == pytest.approx(members[["x", "y"]].cov().iloc[0, 1])


def test_waveforms_are_those_of_the_units(tables, easy):
    waveforms, truth = tables["waveforms"], easy[2]
    assert set(waveforms["channel"].astype(str)) == {"0", "1", "2", "3"}
    for unit, own in waveforms.groupby("unit_id"):
        largest = own.loc[own["mean"].abs().idxmax()]
        assert int(largest["channel"]) == truth.channels[truth.unit_ids.index(unit)]
        assert abs(largest["time_ms"]) <= 0.2
        assert own["n"].iloc[0] == truth.counts()[truth.unit_ids.index(unit)]


def test_a_seed_gives_the_same_and_the_name_draws_the_jitter(easy, networks):
    recording, _, truth = easy
    view = network_view(recording, networks)
    one, again, other = (cut_true_spikes(view, truth, name=name, seed=1)[0] for name in ("a", "a", "b"))
    np.testing.assert_array_equal(one.peaks, again.peaks)
    assert (np.diff(one.peaks) >= 0).all()
    assert not np.array_equal(one.peaks, other.peaks)
    places = view.from_source(truth.spike_samples)
    shares = [np.mean(np.isin(one.peaks - step, places)) for step in (-1, 0, 1)]
    assert 0.5 < shares[1] < 0.75


def test_the_first_spikes_are_kept_if_they_are_many(easy, networks):
    view = network_view(easy[0], networks)
    few = cut_true_spikes(view, easy[2], name="a", most_spikes=80)[0]
    assert len(few.peaks) == 80
    assert few.peaks.max() <= view.from_source(easy[2].spike_samples)[79] + 1


def test_too_few_spikes_are_refused(easy, networks):
    recording, _, truth = easy
    with pytest.raises(DataError, match="easy has too few true spikes"):
        identification_tables(recording, truth, networks, name="easy", seed=3, most_spikes=30)


def test_the_index_is_that_of_scikit_learn_with_groups_apart():
    first, second = _group([0, 0, 1, 1, 1], [0, 0, 1, 1, -1]), _group([2, 2, 2, 3], [0, 0, 0, 0])
    scores = identification_scores([first, second], np.array([True, True, False, True]))
    truth, apart = [0, 0, 1, 1, 1, 2, 2, 2, 3], [1, 1, 2, 2, 0, 3, 3, 3, 3]
    np.testing.assert_allclose(scores["ari"], adjusted_rand_score(truth, apart))
    large = [0, 1, 2, 3, 4, 8]
    expected = adjusted_rand_score(np.array(truth)[large], np.array(apart)[large])
    np.testing.assert_allclose(scores["ari_large"], expected)
    facts = scores[["n", "n_units", "n_units_large", "n_clusters"]].drop_duplicates()
    assert facts.to_numpy().tolist() == [[9, 4, 3, 3]]


def test_not_to_assign_spikes_costs():
    whole = identification_scores([_group([0, 0, 1, 1], [0, 0, 1, 1])], np.zeros(2, bool))
    lost = identification_scores([_group([0, 0, 1, 1], [0, -1, 1, -1])], np.zeros(2, bool))
    assert (whole["ari"] == 1).all() and (lost["ari"] < 0.5).all()
    assert whole["ari_large"].isna().all()


def test_scatter_within_units_against_brute_force():
    stream = seed_stream(4, "test-scatter")
    index = stream.integers(0, 4, 500)
    points = 10 * stream.normal(size=(4, 3))[index] + 2.5 * stream.normal(size=(500, 3))
    squares = sum(((points[index == u] - points[index == u].mean(axis=0)) ** 2).sum() for u in range(4))
    assert scatter_within(points, index) == pytest.approx(np.sqrt(squares / 3 / 496))
    assert scatter_within(points, index) == pytest.approx(2.5, rel=0.1)


@pytest.mark.parametrize("n_units", [1, 2, 4])
def test_the_plane_parts_the_units_at_unit_scatter(n_units):
    stream = seed_stream(5, "test-plane")
    index = np.repeat(np.arange(n_units), 200)
    points = 8 * stream.normal(size=(n_units, 6))[index] + stream.normal(size=(len(index), 6)) * np.arange(1, 7)
    plane = plane_of_units(points, index)
    assert plane.shape == (len(index), 2)
    if n_units > 2:
        within = np.concatenate([plane[index == u] - plane[index == u].mean(axis=0) for u in range(n_units)])
        np.testing.assert_allclose(np.cov(within.T), np.eye(2), atol=0.05)
    if n_units > 1:
        means = pd.DataFrame(plane).groupby(index).mean()
        assert np.ptp(means[0]) > 2


def test_snippets_that_come_alone(networks):
    stream = seed_stream(6, "test-lone")
    time = (np.arange(64) - 19) / 24.0
    shapes = np.array([-np.exp(-0.5 * (time / width) ** 2) for width in (0.1, 0.2)])
    labels = np.arange(240) % 2 + 1
    waveforms = (60 * shapes[labels - 1] + stream.normal(size=(240, 64))).astype(np.float32)
    snippets = Snippets(waveforms, labels.astype(np.int64), 24_000.0, 19, 0)
    tables = snippet_identification_tables(snippets, networks, name="lone", seed=1)
    assert set(tables["scores"]["data"]) == {"snippets"} and tables["scores"]["ari_large"].isna().all()
    own = tables["scores"].set_index(["feature", "clustering"])
    assert own.loc[("pca", "oracle_mixture"), "ari"] == 1
    assert set(tables["points"]["unit_id"]) == {"1", "2"}
    first = tables["waveforms"].query("unit_id == '1'")
    np.testing.assert_allclose(first["mean"], waveforms[labels == 1].mean(axis=0), atol=1e-5)
    assert first.loc[first["mean"].idxmin(), "time_ms"] == 0
