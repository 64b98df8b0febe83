"""Information about directions, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import vonmises

from spikeline.artifacts import seed_stream
from spikeline.dynamics.neural.direction_information import against_chance, circular_information, counted_information


def test_counts_of_groups_that_are_functions_of_each_other() -> None:
    sectors = np.repeat(np.arange(8), 25)
    assert counted_information(sectors, sectors) == pytest.approx(3.0)
    assert counted_information(sectors // 2, sectors) == pytest.approx(2.0)
    assert counted_information(np.zeros(200, np.int64), sectors) == 0.0
    # independent by construction
    assert counted_information(np.tile(np.arange(5), 40), sectors) == pytest.approx(0.0, abs=1e-12)


def test_a_density_on_the_circle_finds_what_sectors_tell() -> None:
    draw = seed_stream(1, "test-information")
    directions = draw.uniform(0, 360, 1500)
    half = (directions < 180).astype(np.int64)
    # a uniform half circle, seen through the kernel, against a uniform circle
    angle = np.linspace(0, 2 * np.pi, 2000, endpoint=False)
    through = np.array([vonmises.pdf(angle[:1000], 16.0, loc=at).sum() for at in angle[:1000]]) / 1000
    expected = np.log2(through * 2 * np.pi).mean()
    assert 0.85 < expected < 1
    assert circular_information(directions)(half) == pytest.approx(expected, abs=0.04)
    assert circular_information(directions)(draw.permutation(half)) == pytest.approx(0.0, abs=0.03)
    # turning the circle changes nothing
    turned = circular_information((directions + 77) % 360)(half)
    assert turned == pytest.approx(circular_information(directions)(half), rel=1e-9)
    assert circular_information(directions)(np.zeros(1500, np.int64)) == pytest.approx(0, abs=1e-12)


def test_chance_is_what_shuffled_labels_give() -> None:
    draw = seed_stream(2, "test-information")
    sectors = np.repeat(np.arange(8), 10)
    labels = draw.permutation(np.repeat(np.arange(4), 20))
    nothing = against_chance(lambda own: counted_information(own, sectors), labels, 200, draw)
    # the plug-in estimate's bias: (rows - 1)(columns - 1) / (2 N ln 2)
    assert nothing.chance_bits == pytest.approx(7 * 3 / (2 * 80 * np.log(2)), rel=0.25)
    assert nothing.p > 0.01
    known = against_chance(lambda own: counted_information(own, sectors), sectors // 2, 200, draw)
    assert known.p == pytest.approx(1 / 201) and known.bits == pytest.approx(2.0)
