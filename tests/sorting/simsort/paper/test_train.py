"""The published networks trained to files: read by their sorter alone, the same bytes however they came about."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from spikeline.artifacts import file_checksum, read_csv, read_weights, verify_tree
from spikeline.cli import command_line
from spikeline.config.simsort import PaperDetectorTrainingSettings, PaperIdentifierTrainingSettings
from spikeline.errors import ConfigError, DataError, FormatError
from spikeline.simulation.bank import write_bank_entry
from spikeline.sorting.simsort.networks import load_networks
from spikeline.sorting.simsort.paper.detection_batches import PaperDetectionBatches
from spikeline.sorting.simsort.paper.identification_batches import PaperIdentificationBatches
from spikeline.sorting.simsort.paper.networks import load_paper_networks
from spikeline.sorting.simsort.paper.scenes import PaperScenes
from spikeline.sorting.simsort.paper.train import train_paper_detector_to_file, train_paper_identifier_to_file
from spikeline.sorting.simsort.train import TrainingJob
from spikeline.sorting.simsort.weight_files import ship_weights
from tests.simulation.recordings_fixtures import make_entry
from tests.sorting.simsort.handmade_networks import write_handmade_networks

CELLS = ["cell_a", "cell_b", "cell_c"]
SCHEDULE = {
    "steps": 6,
    "warm_up_steps": 1,
    "log_every_steps": 2,
    "checkpoint_every_steps": 2,
    "validate_every_steps": 3,
    "accelerator": "cpu",
}
SCENES = {"duration_s": 3.0, "units": 2, "extent_um": 15.0}
DETECTOR = PaperDetectorTrainingSettings.parse(
    {
        "scenes": SCENES,
        "network": {"n_layers": 1, "width": 8, "n_heads": 2, "feedforward": 8},
        "batches": {"windows": 4, "samples": 128, "scenes_per_batch": 2, "measured_scenes": 3},
        "training": SCHEDULE,
    }
)
IDENTIFIER = PaperIdentifierTrainingSettings.parse(
    {
        "scenes": {**SCENES, "spikes_per_unit": 4},
        "network": {"hidden": 8},
        "batches": {"triplets": 8, "scenes_per_batch": 2, "steps_per_scene": 4},
        "training": SCHEDULE,
    }
)
TRAINED = {
    "detector": (train_paper_detector_to_file, DETECTOR),
    "identifier": (train_paper_identifier_to_file, IDENTIFIER),
}


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("bank")
    for cell in CELLS:
        entry = make_entry(cell, rate_hz=12.0)
        write_bank_entry(folder / f"{cell}.h5", dataclasses.replace(entry, facts={"licence": f"licence of {cell}"}))
    return [folder / f"{cell}.h5" for cell in CELLS]


def job(bank: list[Path], folder: Path, network: str, **options: Any) -> TrainingJob:
    arguments = {"allowed_cells": CELLS, "validation_cells": ["cell_c"], "seed": 3, **options}
    return TrainingJob(bank, folder / f"{network}.safetensors", folder / f"{network}.csv", **arguments)


@pytest.fixture(scope="module")
def trained(bank: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both networks; not to be changed."""
    folder = tmp_path_factory.mktemp("trained")
    for network, (function, settings) in TRAINED.items():
        function(settings, job(bank, folder, network))
    return folder


def outputs(folder: Path) -> dict[str, str]:
    return {file.name: file_checksum(file) for file in sorted(folder.iterdir()) if file.is_file()}


def test_its_sorter_reads_the_weights_and_the_default_does_not(trained: Path, tmp_path: Path) -> None:
    networks = load_paper_networks(trained, "cpu")
    assert networks.sampling_rate_hz == 10_000 and networks.band_hz == (300.0, 3000.0)
    assert networks.identifier.fitted and not networks.detector.training
    assert verify_tree(trained).ok
    with pytest.raises(FormatError, match=r"preset paper[\s\S]*weights of preset default"):
        load_networks(trained, "cpu")
    with pytest.raises(FormatError, match=r"preset default[\s\S]*simsort_paper_weights"):
        load_paper_networks(write_handmade_networks(tmp_path / "default"), "cpu")
    with pytest.raises(FormatError, match="preset paper"):
        ship_weights(trained, tmp_path / "shipped")
    assert not (tmp_path / "shipped").exists()


@pytest.mark.parametrize("network", TRAINED)
def test_a_mixture_of_presets_is_refused(network: str, trained: Path, tmp_path: Path) -> None:
    mixed = write_handmade_networks(tmp_path / "mixed")
    for name in (f"{network}.safetensors", f"{network}.card.json"):
        shutil.copy(trained / name, mixed / name)
    for load in (load_networks, load_paper_networks):
        with pytest.raises(FormatError, match=rf"the {network} is of preset paper[\s\S]*two networks of one preset"):
            load(mixed, "cpu")


def test_the_card_says_what_the_weights_are(trained: Path) -> None:
    for network, (_, settings) in TRAINED.items():
        _, card = read_weights(trained / f"{network}.safetensors")
        assert (card["preset"], card["network"]) == ("paper", network)
        assert card["architecture"] == settings.network.plain()
        assert card["trained_on"]["scenes"]["labels"] == "edges"
        assert card["trained_on"]["bank"]["validation"] == ["cell_c/v000-0"]
        assert card["licence"]["cells"] == [f"licence of {cell}" for cell in CELLS]


def test_the_log_is_tidy(trained: Path) -> None:
    table = read_csv(trained / "identifier.csv")
    losses = table[table["metric"] == "loss"]
    assert list(losses[losses["set"] == "training"]["step"]) == [2, 4, 6]
    assert list(losses[losses["set"] == "validation"]["step"]) == [3, 6]
    assert set(table["metric"]) == {"learning_rate", "loss", "nearer"}


@pytest.mark.parametrize("network", TRAINED)
def test_a_stopped_training_goes_on_to_the_same_bytes(
    network: str, trained: Path, bank: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    function, settings = TRAINED[network]
    kind = PaperDetectionBatches if network == "detector" else PaperIdentificationBatches
    whole = kind.batch

    def broken(self: Any, step: int) -> Any:
        if step == 5:
            raise OSError("the machine went down")
        return whole(self, step)

    with monkeypatch.context() as patch:
        patch.setattr(kind, "batch", broken)
        with pytest.raises(OSError, match="went down"):
            function(settings, job(bank, tmp_path, network))
    function(settings, job(bank, tmp_path, network, batch_threads=3))
    assert outputs(tmp_path).items() <= outputs(trained).items()
    assert len(outputs(tmp_path)) == 6  # weights, card, log, with their manifests


def test_held_out_cells_are_never_trained_on(bank: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: dict[str, set[str]] = {}
    whole = PaperScenes._make

    def listening(self: PaperScenes, index: int) -> Any:
        heard.setdefault(self.stage, set()).update(entry.cell for entry in self.entries)
        return whole(self, index)

    monkeypatch.setattr(PaperScenes, "_make", listening)
    train_paper_detector_to_file(DETECTOR, job(bank, tmp_path, "detector", validation_cells=["cell_a"]))
    assert heard == {"simsort-paper-detector": {"cell_b", "cell_c"}, "simsort-paper-detector-validation": {"cell_a"}}


@pytest.mark.parametrize("network", TRAINED)
def test_what_is_refused(network: str, bank: list[Path], tmp_path: Path) -> None:
    function, settings = TRAINED[network]
    with pytest.raises(ConfigError, match=r"scenes\.trials"):
        function(settings, job(bank, tmp_path, network, scenes=3))
    with pytest.raises(DataError, match="among the entries to train on"):
        function(settings, job(bank, tmp_path, network, allowed_cells=CELLS[:2]))
    with pytest.raises(DataError, match=r"lasts 2 s in memory, a trial 3 s[\s\S]*bank_s"):
        function(settings, job(bank, tmp_path, network, bank_s=2.0))
    assert not (tmp_path / f"{network}.safetensors").exists()


def test_trained_on_their_own_loss_they_learn(bank: list[Path], tmp_path: Path) -> None:
    """Sixty steps on easy trials: the detector's loss falls well below that of a coin."""
    longer = DETECTOR.model_copy(
        update={
            "batches": DETECTOR.batches.model_copy(update={"augmentation": False, "windows": 8}),
            "training": DETECTOR.training.model_copy(update={"steps": 60, "learning_rate": 2e-2}),
            "network": DETECTOR.network.model_copy(update={"dropout": 0.0}),
        }
    )
    train_paper_detector_to_file(longer, job(bank, tmp_path, "detector", validation_cells=[]))
    table = read_csv(tmp_path / "detector.csv")
    losses = table[(table["metric"] == "loss") & (table["set"] == "training")]["value"].to_numpy()
    assert np.mean(losses[-5:]) < 0.7 * np.mean(losses[:3])


def test_by_hand(bank: list[Path], tmp_path: Path) -> None:
    for cell, file in zip(CELLS, bank, strict=True):
        target = tmp_path / f"bank/{cell}/v000-0.h5"
        target.parent.mkdir(parents=True)
        target.symlink_to(file)
    cells = {"source": "ball_and_stick", "train": CELLS, "test": ["other"]}
    simsort = {"paper": {network: settings.plain() for network, (_, settings) in TRAINED.items()}, "bank_s": 8.0}
    settings = {"run": "x", "seed": 3, "simulation": {"cells": cells}, "simsort": simsort}
    (tmp_path / "x.yaml").write_text(json.dumps(settings))  # JSON is YAML
    for network in TRAINED:
        weights = tmp_path / f"my/{network}.safetensors"
        arguments = [
            "train",
            tmp_path / "x.yaml",
            network,
            "--preset",
            "paper",
            "--bank",
            tmp_path / "bank",
            "-o",
            weights,
        ]
        done = CliRunner().invoke(command_line, list(map(str, arguments)))
        assert done.exit_code == 0 and "6 steps" in done.output, done.output
    assert load_paper_networks(tmp_path / "my", "cpu").identifier.recurrent.hidden_size == 8
