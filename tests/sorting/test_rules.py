import numpy as np
import pytest
from spikeinterface.comparison import compare_sorter_to_ground_truth

from spikeline.artifacts import seed_stream
from spikeline.config.sorting import ScoringSettings
from spikeline.sorting.scoring import compare, count_units, score_sorting
from spikeline.sorting.scoring.collisions import colliding_spikes
from spikeline.sorting.sorting_file import make_sorting, spikes_of
from tests.sorting.trains import RATE_HZ, random_sorting

SETTINGS = ScoringSettings()


def _degraded(truth, stream, *, lost=0.1, jitter=2, split=(), merge=(), drop=(), extra=0):
    """What a sorter might make of the truth: spikes lost and shifted, units split, merged, missing, made up."""
    samples, index, unit_ids = spikes_of(truth)
    label = index.copy()
    for new, unit in enumerate(split):
        half = (index == unit) & (stream.random(len(index)) < 0.3)
        label[half] = len(unit_ids) + new
    for a, b in merge:
        label[index == b] = a
    n_units = len(unit_ids) + len(split)
    keep = (stream.random(len(index)) > lost) & ~np.isin(index, drop)
    samples, label = samples[keep] + stream.integers(-jitter, jitter + 1, keep.sum()), label[keep]
    for _ in range(extra):
        made_up = np.unique(stream.integers(0, 100_000, 120))
        samples, label = np.concatenate([samples, made_up]), np.concatenate([label, np.full(len(made_up), n_units)])
        n_units += 1
    return make_sorting(np.maximum(samples, 0), label, [f"s{i}" for i in range(n_units)], RATE_HZ).remove_empty_units()


CASES = {
    "good": {},
    "split": {"split": (0, 1)},
    "merged": {"merge": ((0, 1), (2, 3))},
    "missing": {"drop": (0, 2)},
    "made up": {"extra": 3, "lost": 0.4},
    "bad": {"lost": 0.7, "jitter": 5, "split": (1, 2, 3), "extra": 2},
}


@pytest.mark.parametrize("case", CASES)
def test_first_rule_equals_spikeinterface(case):
    stream = seed_stream(1, "test-rules", case)
    truth = random_sorting(stream, 5, 100_000, 300)
    found = _degraded(truth, stream, **CASES[case])
    oracle = compare_sorter_to_ground_truth(truth, found, exhaustive_gt=True)
    scores, counts = score_sorting(truth, found, SETTINGS, recording="r", sorter="s")
    ours = scores[scores["rule"] == "spikeinterface"].set_index("unit_id")
    performance = oracle.get_performance().astype(float)
    for column in ("accuracy", "recall", "precision"):
        np.testing.assert_allclose(ours[column], performance[column], rtol=0, atol=1e-12)
    assert list(ours["matched_unit"]) == [str(unit) for unit in oracle.hungarian_match_12]
    expected = oracle.count_units_categories()
    assert counts.iloc[0][
        ["units_true", "units_found", "well_detected", "over_merged", "redundant", "false_positive"]
    ].tolist() == [
        expected[key]
        for key in (
            "num_gt",
            "num_sorter",
            "num_well_detected",
            "num_overmerged",
            "num_redundant",
            "num_false_positive",
        )
    ]


def _compare(truth, found, rule, settings=SETTINGS):
    (a, i, m), (b, j, n) = spikes_of(truth), spikes_of(found)
    return compare(a, i, len(m), b, j, len(n), RATE_HZ, rule, settings)


def test_simsort_rule_takes_what_the_other_refuses():
    # 0.7 ms late, and only a third of the spikes: no match within 0.4 ms, and below half agreement anyway.
    train = np.arange(100, 30_000, 100)
    truth = make_sorting(train, np.zeros(len(train), int), ["a"], RATE_HZ)
    found = make_sorting(train[::3] + 7, np.zeros(len(train[::3]), int), ["b"], RATE_HZ)
    strict, lenient = _compare(truth, found, "spikeinterface"), _compare(truth, found, "simsort")
    assert strict.match.tolist() == [-1]
    assert lenient.match.tolist() == [0]
    assert lenient.matched_counts.tolist() == [len(train[::3])]
    assert lenient.agreement[0, 0] == pytest.approx(len(train[::3]) / len(train))


def test_simsort_rule_maximises_matched_spikes_over_all_permutations():
    from itertools import permutations

    stream = seed_stream(2, "test-rules")
    truth, found = random_sorting(stream, 4, 20_000, 400), random_sorting(stream, 5, 20_000, 400)
    comparison = _compare(truth, found, "simsort")
    best = max(sum(comparison.counts[i, j] for i, j in enumerate(order)) for order in permutations(range(5), 4))
    assert comparison.matched_counts.sum() == best


def test_rules_agree_on_a_perfect_sorting_whatever_the_order_of_units():
    stream = seed_stream(3, "test-rules")
    samples = np.sort(stream.choice(np.arange(50, 100_000, 50), 600, replace=False))
    index = stream.integers(0, 3, 600)
    truth = make_sorting(samples, index, ["a", "b", "c"], RATE_HZ)
    found = make_sorting(samples, np.array([2, 0, 1])[index], ["x", "y", "z"], RATE_HZ)
    scores, counts = score_sorting(truth, found, SETTINGS, recording="r", sorter="s")
    assert (scores[["accuracy", "precision", "recall", "f1"]] == 1).all(axis=None)
    assert scores["matched_unit"].tolist() == ["z", "x", "y"] * 2
    assert counts.iloc[0][["well_detected", "false_positive", "redundant", "over_merged"]].tolist() == [3, 0, 0, 0]


def test_nothing_found():
    truth = make_sorting(np.arange(0, 1000, 100), np.zeros(10, int), ["a"], RATE_HZ)
    scores, counts = score_sorting(
        truth, make_sorting([], [], [], RATE_HZ, "no events"), SETTINGS, recording="r", sorter="s"
    )
    assert scores[["accuracy", "precision", "recall", "f1", "n_found", "n_matched"]].to_numpy().sum() == 0
    assert scores["matched_unit"].tolist() == ["", ""]
    assert counts.iloc[0].tolist() == ["r", "s", 1, 0, 0, 0, 0, 0, "no events"]


def test_no_true_units():
    found = make_sorting(np.arange(0, 1000, 100), np.zeros(10, int), ["x"], RATE_HZ)
    scores, counts = score_sorting(make_sorting([], [], [], RATE_HZ), found, SETTINGS, recording="r", sorter="s")
    assert len(scores) == 0
    assert counts.iloc[0][["units_true", "units_found", "false_positive"]].tolist() == [0, 1, 1]


def test_true_unit_without_spikes_scores_zero():
    truth = make_sorting(np.arange(0, 1000, 100), np.zeros(10, int), ["a", "silent"], RATE_HZ)
    scores, _ = score_sorting(truth, truth, SETTINGS, recording="r", sorter="s")
    silent = scores[scores["unit_id"] == "silent"]
    assert silent["accuracy"].tolist() == [0, 0]
    assert silent["n_true"].tolist() == [0, 0]
    assert silent["collision_fraction"].isna().all()


def test_collisions_against_brute_force_and_in_the_recall():
    stream = seed_stream(4, "test-rules")
    truth = random_sorting(stream, 3, 5000, 60)
    samples, index, _ = spikes_of(truth)
    near = np.abs(np.subtract.outer(samples, samples)) <= 10
    brute = (near & (index[:, None] != index[None, :])).any(axis=1)
    np.testing.assert_array_equal(colliding_spikes(samples, index, 10), brute)
    # A sorter that loses exactly the colliding spikes.
    found = make_sorting(samples[~brute], index[~brute], ["0", "1", "2"], RATE_HZ)
    scores, _ = score_sorting(truth, found, SETTINGS, recording="r", sorter="s")
    strict = scores[(scores["rule"] == "spikeinterface") & (scores["matched_unit"] != "")]
    # Not exactly 0 and 1: in a burst a neighbouring spike of the same unit stands in for the lost one.
    assert (strict["recall_in_collisions"] < 0.2).all()
    assert (strict["recall_outside_collisions"] > 0.95).all()
    share = strict["collision_fraction"]
    mixed = share * strict["recall_in_collisions"] + (1 - share) * strict["recall_outside_collisions"]
    np.testing.assert_allclose(strict["recall"], mixed)


def test_counts_of_units_with_other_thresholds():
    stream = seed_stream(5, "test-rules")
    truth = random_sorting(stream, 4, 100_000, 300)
    found = _degraded(truth, stream, split=(0,), lost=0.3)
    settings = ScoringSettings(redundant_agreement=0.05, well_detected_accuracy=0.5)
    oracle = compare_sorter_to_ground_truth(
        truth, found, exhaustive_gt=True, redundant_score=0.05, overmerged_score=0.05, well_detected_score=0.5
    )
    ours, expected = (
        count_units(_compare(truth, found, "spikeinterface", settings), settings),
        oracle.count_units_categories(),
    )
    for key, name in {
        "well_detected": "num_well_detected",
        "redundant": "num_redundant",
        "false_positive": "num_false_positive",
    }.items():
        assert ours[key] == expected[name]


def test_different_rates_are_refused():
    from spikeline.errors import DataError

    truth = make_sorting([5], [0], ["a"], RATE_HZ)
    with pytest.raises(DataError, match="30000 Hz, the truth at 10000 Hz"):
        score_sorting(truth, make_sorting([5], [0], ["a"], 30_000.0), SETTINGS, recording="r", sorter="s")
    with pytest.raises(DataError, match="no SNR is given for true unit 'a'"):
        score_sorting(truth, truth, SETTINGS, recording="r", sorter="s", snr={"b": 1.0})
