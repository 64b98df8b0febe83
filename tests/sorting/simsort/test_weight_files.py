"""Where weights lie: those of a run, those that come along, and how the former become the latter."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from click.testing import CliRunner

from spikeline.artifacts import read_weights
from spikeline.cli import command_line
from spikeline.config.sorting import SorterSettings
from spikeline.errors import ConfigError, FormatError
from spikeline.sorting.simsort import networks, weight_files
from spikeline.sorting.simsort.detector import Detector
from spikeline.sorting.simsort.identifier import Identifier
from spikeline.sorting.simsort.weight_files import (
    WEIGHT_FILES,
    check_preset,
    needs_trained_weights,
    read_cards,
    ship_weights,
    weights_checksums,
    with_trained_weights,
)
from spikeline.training import export_weights

SHIPPED = SorterSettings(sorter="simsort")
TRAINED = SorterSettings(sorter="simsort", parameters={"weights": "trained", "fewest_spikes": 20})
OTHER = SorterSettings(sorter="simple", parameters={"weights": "trained"})


def write_weights(folder: Path, seed: int, **card: object) -> None:
    torch.manual_seed(seed)
    small = {
        "detector": (Detector, {"width": 4, "dilations": [1]}),
        "identifier": (Identifier, {"dimensions": 2, "width": 4, "layers": 1}),
    }
    for name, (kind, architecture) in small.items():
        whole = {"architecture": architecture, "sampling_rate_hz": 1e4, "band_hz": [300, 3000], "seed": seed}
        export_weights(kind(**architecture), folder / f"{name}.safetensors", {**whole, **card})


def test_the_word_trained_stands_for_the_runs_folder() -> None:
    assert needs_trained_weights(TRAINED)
    assert not needs_trained_weights(SHIPPED) and not needs_trained_weights(OTHER)
    assert with_trained_weights(SHIPPED, None) is SHIPPED and with_trained_weights(OTHER, None) is OTHER
    assert with_trained_weights(TRAINED, "results/x").parameters == {"weights": "results/x", "fewest_spikes": 20}
    with pytest.raises(ConfigError, match="outside a run"):
        with_trained_weights(TRAINED, None)


def test_which_preset_a_run_trains() -> None:
    paper = SorterSettings(sorter="simsort", parameters={"weights": "trained", "preset": "paper"})
    assert needs_trained_weights(paper) and needs_trained_weights(paper, "paper")
    assert not needs_trained_weights(paper, "default") and not needs_trained_weights(TRAINED, "paper")
    assert needs_trained_weights(TRAINED, "default") and not needs_trained_weights(OTHER, "default")


def test_a_folder_holds_weights_of_one_preset(tmp_path: Path) -> None:
    write_weights(tmp_path / "old", 1)  # whose cards say nothing of presets
    write_weights(tmp_path / "new", 1, preset="default")
    write_weights(tmp_path / "paper", 1, preset="paper")
    assert check_preset(tmp_path / "old", "default")["detector"]["seed"] == 1
    assert check_preset(tmp_path / "paper", "paper")["identifier"]["preset"] == "paper"
    check_preset(tmp_path / "new", "default")
    with pytest.raises(FormatError, match=r"preset paper[\s\S]*sort with preset: paper"):
        check_preset(tmp_path / "paper", "default")
    with pytest.raises(FormatError, match=r"preset default[\s\S]*simsort_paper_weights"):
        check_preset(tmp_path / "old", "paper")
    for name in ("detector.safetensors", "detector.card.json"):
        (tmp_path / "old" / name).replace(tmp_path / "paper" / name)
    for preset in ("default", "paper"):
        with pytest.raises(FormatError, match="the detector is of preset default and the identifier"):
            check_preset(tmp_path / "paper", preset)
    with pytest.raises(FormatError, match="does not exist"):
        check_preset(tmp_path / "nowhere", "paper")


def test_other_weights_give_other_checksums(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weight_files, "SHIPPED_WEIGHTS", tmp_path / "shipped")
    assert weights_checksums(SHIPPED) == {}  # nothing there
    write_weights(tmp_path / "shipped", 1)
    first = weights_checksums(SHIPPED)
    assert set(first) == set(WEIGHT_FILES)
    write_weights(tmp_path / "shipped", 2)
    assert not set(first.values()) & set(weights_checksums(SHIPPED).values())
    assert weights_checksums(TRAINED) == {} and weights_checksums(OTHER) == {}
    mine = SorterSettings(sorter="simsort", parameters={"weights": str(tmp_path / "shipped")})
    assert weights_checksums(mine) == weights_checksums(SHIPPED)


def test_shipping_replaces_both_networks(tmp_path: Path) -> None:
    write_weights(tmp_path / "old", 1)
    write_weights(tmp_path / "trained", 2)
    cards = ship_weights(tmp_path / "trained", tmp_path / "old")
    assert {card["seed"] for card in cards.values()} == {2}
    for name in ("detector", "identifier"):
        assert read_weights(tmp_path / f"old/{name}.safetensors")[1]["seed"] == 2
    ship_weights(tmp_path / "trained", tmp_path / "new")
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == sorted(WEIGHT_FILES)


def test_weights_that_do_not_belong_together_are_not_shipped(tmp_path: Path) -> None:
    write_weights(tmp_path / "trained", 1)
    write_weights(tmp_path / "other", 2, band_hz=[300, 4500])
    (tmp_path / "other/identifier.safetensors").replace(tmp_path / "trained/identifier.safetensors")
    with pytest.raises(FormatError, match="checksums differ"):
        ship_weights(tmp_path / "trained", tmp_path / "shipped")
    (tmp_path / "other/identifier.card.json").replace(tmp_path / "trained/identifier.card.json")
    with pytest.raises(FormatError, match="band_hz"):
        ship_weights(tmp_path / "trained", tmp_path / "shipped")
    assert not (tmp_path / "shipped").exists()


@pytest.mark.parametrize(
    ("seed", "bank", "said"),
    [(2, ["aa", "bb"], "another seed"), (1, ["aa", "cc"], "other bank entries"), (1, ["aa"], "other bank entries")],
)
def test_networks_of_two_runs_are_not_shipped(tmp_path: Path, seed: int, bank: list[str], said: str) -> None:
    write_weights(tmp_path / "trained", 1, trained_on={"bank": {"sha256": ["aa", "bb"]}})
    write_weights(tmp_path / "other", seed, trained_on={"bank": {"sha256": bank}})
    for name in ("identifier.safetensors", "identifier.card.json"):
        (tmp_path / "other" / name).replace(tmp_path / "trained" / name)
    with pytest.raises(FormatError, match=said):
        ship_weights(tmp_path / "trained", tmp_path / "shipped")
    assert not (tmp_path / "shipped").exists()


def test_the_networks_that_come_along_are_of_one_bank() -> None:
    cards = read_cards(weight_files.SHIPPED_WEIGHTS)
    banks = [sorted(cards[network]["trained_on"]["bank"]["sha256"]) for network in ("detector", "identifier")]
    assert banks[0] == banks[1] and len(banks[0]) > 0


def test_the_sorter_looks_where_they_are_shipped() -> None:
    assert networks.SHIPPED_WEIGHTS == weight_files.SHIPPED_WEIGHTS


def test_shipping_by_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weight_files, "SHIPPED_WEIGHTS", tmp_path / "shipped")
    monkeypatch.setattr(ship_weights, "__defaults__", (tmp_path / "shipped",))
    write_weights(tmp_path / "trained", 1)
    done = CliRunner().invoke(command_line, ["ship-weights", str(tmp_path / "trained")])
    assert done.exit_code == 0 and "shipped/detector.safetensors" in done.output
    assert read_weights(tmp_path / "shipped/identifier.safetensors")[1]["seed"] == 1
    assert CliRunner().invoke(command_line, ["ship-weights", str(tmp_path / "nowhere")]).exit_code == 2
