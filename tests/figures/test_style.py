"""Names, classes, colours and scale bars."""

from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spikeline.figures.accuracy import accuracy_by_snr
from spikeline.figures.cells import chosen_cells
from spikeline.figures.saving import stacked
from spikeline.figures.style import cell_class, class_colour, short_cell_name, sorter_colour
from spikeline.figures.traces import round_down


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("L5_TTPC1_cADpyr232_1", "excitatory"),
        ("L5_STPC_cADpyr232_1", "excitatory"),
        ("L23_PC_cADpyr229_3", "excitatory"),
        ("L4_SS_cADpyr230_1", "excitatory"),
        ("L5_BP_bAC217_1", "inhibitory"),
        ("L5_SBC_bNAC219_1", "inhibitory"),
        ("L5_ChC_cACint209_1", "inhibitory"),
        ("L1_NGC-DA_bNAC219_1", "inhibitory"),
        ("ball_and_stick", "unclassified"),
    ],
)
def test_cell_class_follows_the_model_name(cell, expected) -> None:
    assert cell_class(cell) == expected


def test_names_and_colours_tell_things_apart() -> None:
    assert (
        short_cell_name("L5_TTPC1_cADpyr232_1") == "L5 TTPC1" and short_cell_name("ball_and_stick") == "ball and stick"
    )
    assert len({class_colour(cell) for cell in ("L5_TTPC1_cADpyr232_1", "L5_BP_bAC217_1", "x")}) == 3
    sorters = ["simple", "lupin", "spykingcircus2", "tridesclous2", "simsort", "mine", "yours"]
    assert len({sorter_colour(name, sorters) for name in sorters}) == len(sorters)
    assert sorter_colour("lupin", ["lupin"]) == sorter_colour("lupin", sorters)


@given(st.floats(1e-6, 1e6))
def test_a_scale_bar_is_a_round_length_within_its_room(value) -> None:
    length = round_down(value)
    assert value / 2.5 * (1 - 1e-6) <= length <= value * (1 + 1e-6)
    assert f"{length:.0e}"[0] in "125"


def test_chosen_cells_are_spread_and_ordered_by_class() -> None:
    names = [f"L5_MC_bAC217_{i}" for i in range(20)] + ["L5_TTPC1_cADpyr232_1"]
    chosen = chosen_cells(names, 5)
    assert len(chosen) == 5 and chosen[0] == "L5_TTPC1_cADpyr232_1"
    assert chosen_cells(["b", "a"], 5) == ["a", "b"]


def test_accuracy_by_snr_is_a_mean_per_class() -> None:
    scores = pd.DataFrame(
        {
            "sorter": "s",
            "rule": "spikeinterface",
            "snr": [1.0, 2.0, 4.0, 9.0, float("nan")],
            "accuracy": [0.0, 0.5, 0.75, 1.0, 0.1],
        }
    )
    classes = accuracy_by_snr(scores, [0.0, 3.0, 5.0, 8.0])
    assert list(classes["n_units"]) == [2, 1, 1] and list(classes["accuracy"]) == [0.25, 0.75, 1.0]


def test_stacked_tables_can_be_taken_apart_again() -> None:
    first, second = pd.DataFrame({"a": [1, 2]}), pd.DataFrame({"a": [3], "b": ["x"]})
    joined = stacked({"first": first, "second": second})
    assert list(joined.columns) == ["table", "a", "b"]
    assert list(joined[joined["table"] == "first"]["a"]) == [1, 2]
