import numpy as np
import pytest

from spikeline.sorting.simsort.evaluation.detection_tables import PROBABILITIES, THRESHOLDS, detection_tables


@pytest.fixture(scope="module")
def tables(easy, networks):
    recording, _, truth = easy
    return detection_tables(recording, truth, networks, name="easy", tolerance=4, probability=0.42)


def test_every_detector_at_every_threshold_once(tables):
    counts = tables["scores"].groupby("detector")["threshold"].nunique().to_dict()
    names = ("threshold", "whitened_threshold", "spikeinterface", "published_threshold")
    plain = dict.fromkeys(names, len(THRESHOLDS))
    assert counts == {"simsort": len(PROBABILITIES) + 1, **plain}
    default = tables["scores"][tables["scores"]["default"]]
    assert list(zip(default["detector"], default["threshold"], strict=True)) == [
        ("simsort", 0.5),
        ("spikeinterface", 5.0),
        ("published_threshold", 6.0),
    ]
    in_sorter = tables["scores"][tables["scores"]["in_sorter"]]
    assert list(zip(in_sorter["detector"], in_sorter["threshold"], strict=True)) == [("simsort", 0.42)]
    assert len(tables["units"]) == 3 * len(tables["scores"])


def test_scores_are_those_of_the_counts(tables, easy):
    scores, truth = tables["scores"], easy[2]
    assert (scores["n"] == len(truth.spike_samples)).all()  # all units are large
    np.testing.assert_allclose(scores["recall"], scores["n_hit"] / scores["n"])
    shown = scores[scores["n_hit"] + scores["n_false"] > 0]
    np.testing.assert_allclose(shown["precision"], shown["n_hit"] / (shown["n_hit"] + shown["n_false"]))
    product = 2 * shown["precision"] * shown["recall"] / (shown["precision"] + shown["recall"])
    np.testing.assert_allclose(shown["f1"], product.fillna(0.0))
    units = (
        tables["units"]
        .groupby(["detector", "threshold"])[["n_true", "recall"]]
        .apply(lambda own: (own["n_true"] * own["recall"]).sum())
    )
    hits = scores.set_index(["detector", "threshold"])["n_hit"]
    np.testing.assert_allclose(units.loc[hits.index], hits)


def test_easy_units_are_found(tables):
    best = tables["scores"].groupby("detector")["f1"].max()
    assert best["spikeinterface"] > 0.95 and best["published_threshold"] > 0.95 and best["simsort"] > 0.9
    either_sign = tables["scores"].query("detector == 'threshold' and threshold == 3")
    assert either_sign["precision"].item() < 0.5 < 0.95 < either_sign["recall"].item()


def test_the_excerpt_is_one_second_and_agrees_with_itself(tables, easy):
    recording, _, truth = easy
    excerpt, probability, spikes, events = (tables[name] for name in ("excerpt", "probability", "spikes", "events"))
    low, high = excerpt["time_ms"].min(), excerpt["time_ms"].max()
    assert high - low == pytest.approx(1000, abs=0.2)
    assert len(excerpt) == 4 * len(probability) == 4 * round(recording.get_sampling_frequency())
    inside = (truth.spike_samples >= 10 * low) & (truth.spike_samples < 10 * high + 1)
    assert len(spikes) == inside.sum() and spikes["wanted"].all()
    assert spikes["time_ms"].between(low, high).all() and events["time_ms"].between(low, high).all()
    ours = events[events["detector"] == "simsort"]
    assert (ours["kind"] == "hit").sum() == pytest.approx(spikes["found"].sum(), abs=1)
    for time in ours.loc[ours["kind"] == "hit", "time_ms"]:
        near = probability[probability["time_ms"].sub(time).abs() <= 0.1 + 1e-9]
        assert near["probability"].max() > 0.42
    assert len(events["detector"].unique()) == 2


def test_the_excerpt_has_the_network_at_even_odds_and_the_best_plain_detector(tables):
    shown = tables["events"].drop_duplicates("detector")[["detector", "threshold"]].to_numpy().tolist()
    plain = tables["scores"][tables["scores"]["detector"] != "simsort"]
    best = plain.loc[plain["f1"].idxmax()]
    assert shown == [["simsort", 0.5], [best["detector"], best["threshold"]]]


def test_without_large_units_nothing_is_scored_and_two_detectors_are_shown(easy, networks):
    recording, _, truth = easy
    tables = detection_tables(recording, truth, networks, name="easy", tolerance=4, probability=0.3, least_snr=1000.0)
    scores = tables["scores"]
    assert (scores["n"] == 0).all() and scores[["recall", "f1"]].isna().all(axis=None)
    shown = tables["events"].drop_duplicates("detector")[["detector", "threshold"]].to_numpy().tolist()
    assert shown == [["simsort", 0.5], ["spikeinterface", 5.0]]
