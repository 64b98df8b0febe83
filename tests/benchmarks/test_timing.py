"""Turns, medians and ratios."""

from __future__ import annotations

import pytest

from spikeline.errors import NumericalError
from spikeline.simulation.benchmarks.timing import clocked, median_ratio, take_turns


def test_the_sides_take_turns():
    order = []

    def side(name, seconds):
        times = iter(seconds)

        def measure():
            order.append(name)
            return {"seconds": next(times), "spikes": 3}

        return measure

    result = take_turns({"ours": side("ours", [1.0, 5.0, 2.0]), "theirs": side("theirs", [4.0, 4.0, 4.0])}, 3)
    assert order == ["ours", "theirs"] * 3
    assert result["ours"] == {"seconds": [1.0, 5.0, 2.0], "median_s": 2.0, "spikes": 3}


def test_a_busy_turn_does_not_move_the_ratio():
    assert median_ratio([2.0, 20.0, 2.0], [1.0, 10.0, 1.0]) == 2.0


@pytest.mark.parametrize("seconds", [0.0, float("nan"), -1.0])
def test_a_side_without_a_time_is_refused(seconds):
    with pytest.raises(NumericalError, match="ours"):
        take_turns({"ours": lambda: {"seconds": seconds}}, 1)


def test_work_is_clocked():
    assert clocked(lambda: sum(range(1000)))()["seconds"] > 0
