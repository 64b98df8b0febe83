"""Training to a file: the weights are the sorter's, the same bytes however they came about, and of the right cells."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from spikeline.artifacts import file_checksum, read_csv, read_weights, verify_tree
from spikeline.cli import command_line
from spikeline.config.simsort import DetectorTrainingSettings, IdentifierTrainingSettings
from spikeline.errors import DataError
from spikeline.simulation.bank import read_bank_entry, write_bank_entry
from spikeline.sorting.simsort import train
from spikeline.sorting.simsort.detection_batches import DetectionBatches
from spikeline.sorting.simsort.identification_batches import IdentificationBatches
from spikeline.sorting.simsort.identifier_training import scatter_matrix
from spikeline.sorting.simsort.networks import load_networks
from spikeline.sorting.simsort.prepared_scenes import PreparedScenes
from spikeline.sorting.simsort.train import TrainingJob, train_detector_to_file, train_identifier_to_file
from spikeline.sorting.simsort.training_scenes import TrainingScenes
from tests.simulation.recordings_fixtures import make_entry

CELLS = ["cell_a", "cell_b", "cell_c", "cell_quiet"]
SCHEDULE = {
    "steps": 6,
    "warm_up_steps": 1,
    "log_every_steps": 2,
    "checkpoint_every_steps": 2,
    "validate_every_steps": 3,
    "accelerator": "cpu",
}
SCENES = {"duration_s": 2.0, "units": [2, 4], "distance_um": [10.0, 40.0], "rate_hz": [10.0, 30.0]}
DETECTOR = DetectorTrainingSettings.parse(
    {
        "scenes": SCENES,
        "network": {"width": 4, "dilations": [1, 2]},
        "batches": {"windows": 4, "samples": 128, "scenes_per_batch": 2, "steps_per_scene": 4},
        "training": SCHEDULE,
    }
)
IDENTIFIER = IdentifierTrainingSettings.parse(
    {
        "scenes": SCENES,
        "network": {"dimensions": 3, "width": 8, "layers": 1},
        "batches": {"scenes_per_batch": 2, "spikes_per_unit": 16, "steps_per_scene": 4},
        "training": SCHEDULE,
        "settling_batches": 3,
    }
)
TRAINED = {"detector": (train_detector_to_file, DETECTOR), "identifier": (train_identifier_to_file, IDENTIFIER)}


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three cells that fire and one that hardly does."""
    folder = tmp_path_factory.mktemp("bank")
    files = [folder / f"{cell}.h5" for cell in CELLS]
    for cell, file in zip(CELLS, files, strict=True):
        entry = make_entry(cell, rate_hz=1.0 if cell == "cell_quiet" else 8.0)
        write_bank_entry(file, dataclasses.replace(entry, facts={"licence": f"licence of {cell}"}))
    return files


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


def test_the_sorter_reads_the_weights(trained: Path) -> None:
    networks = load_networks(trained, "cpu")
    assert networks.sampling_rate_hz == 10_000 and networks.band_hz == (300.0, 3000.0)
    traces = np.random.default_rng(1).normal(size=(2000, 4)).astype(np.float32)
    assert networks.embed(traces, np.array([100, 700])).shape == (2, 3)
    assert verify_tree(trained).ok


def test_the_card_says_what_the_weights_are(trained: Path) -> None:
    for network, (_, settings) in TRAINED.items():
        _, card = read_weights(trained / f"{network}.safetensors")
        assert card["network"] == network and card["architecture"] == settings.network.plain()
        bank = card["trained_on"]["bank"]
        assert bank["training"] == ["cell_a/v000-0", "cell_b/v000-0"]
        assert bank["validation"] == ["cell_c/v000-0"] and bank["left_out"] == ["cell_quiet/v000-0"]
        assert len(bank["sha256"]) == 4
        assert card["licence"]["cells"] == [f"licence of {cell}" for cell in CELLS[:3]]
        assert card["last"]["training"]["step"] == card["last"]["validation"]["step"] == 6


def test_the_log_is_tidy(trained: Path) -> None:
    table = read_csv(trained / "identifier.csv")
    losses = table[table["metric"] == "loss"]
    assert list(losses[losses["set"] == "training"]["step"]) == [2, 4, 6]
    assert list(losses[losses["set"] == "validation"]["step"]) == [3, 6]
    assert set(table["metric"]) == {"learning_rate", "loss", "likely"}
    assert table["value"].notna().all()


@pytest.mark.parametrize("channels", [1, 4])
def test_points_scatter_with_variance_1_in_scenes_after_the_training(
    trained: Path, bank: list[Path], channels: int
) -> None:
    identifier = load_networks(trained, "cpu").identifier
    entries = [read_bank_entry(file) for file in bank[:2]]
    scenes = TrainingScenes(entries, IDENTIFIER.scenes, 3, stage="simsort-identifier", keep=4)
    batches = IdentificationBatches(scenes, **dict(IDENTIFIER.batches)).seen_on(channels)
    total = sum(
        scatter_matrix(identifier(torch.from_numpy(batch["snippets"])), torch.from_numpy(batch["unit"]))
        for batch in (batches.batch(6 + 4 * (1 + index)) for index in range(3))
    )
    assert torch.allclose(total / 3, torch.eye(3), atol=1e-3)


@pytest.mark.parametrize("network", TRAINED)
def test_threads_around_the_training_change_nothing(
    network: str, trained: Path, bank: list[Path], tmp_path: Path
) -> None:
    function, settings = TRAINED[network]
    before = torch.get_num_threads()
    torch.set_num_threads(2 if before == 1 else 1)
    try:
        function(settings, job(bank, tmp_path, network, batch_threads=3))
    finally:
        torch.set_num_threads(before)
    assert outputs(tmp_path).items() <= outputs(trained).items()


@pytest.mark.parametrize("network", TRAINED)
def test_a_stopped_training_goes_on_to_the_same_bytes(
    network: str,
    trained: Path,
    bank: list[Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    function, settings = TRAINED[network]
    kind = DetectionBatches if network == "detector" else IdentificationBatches
    whole = kind.batch

    def broken(self: Any, step: int) -> Any:
        if step == 5:
            raise OSError("the machine went down")
        return whole(self, step)

    with monkeypatch.context() as patch:
        patch.setattr(kind, "batch", broken)
        with pytest.raises(OSError, match="went down"):
            function(settings, job(bank, tmp_path, network))
    assert not (tmp_path / f"{network}.safetensors").exists()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(f".{network}.safetensors.work-")]
    function(settings, job(bank, tmp_path, network))
    assert "goes on after step 4 of 6" in capfd.readouterr().out
    assert outputs(tmp_path).items() <= outputs(trained).items()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("network", TRAINED)
def test_scenes_of_torch_go_on_to_the_same_bytes_and_train_alike(
    network: str, trained: Path, bank: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a GPU, but for where the tensors lie."""
    function, settings = TRAINED[network]
    if network == "identifier":
        settings = settings.model_copy(update={"settling_batches": 1})  # scenes of torch are slow on a CPU
    kind = DetectionBatches if network == "detector" else IdentificationBatches
    whole, stop_at = kind.batch, [99]

    def stopping(self: Any, step: int) -> Any:
        if step == stop_at[0]:
            raise OSError("the machine went down")
        batch = whole(self, step)
        assert isinstance(batch["traces" if network == "detector" else "snippets"], torch.Tensor)
        return batch

    monkeypatch.setattr("spikeline.sorting.simsort.scene_device.scene_device", lambda *settings: torch.device("cpu"))
    monkeypatch.setattr(kind, "batch", stopping)
    function(settings, job(bank, tmp_path / "whole", network))
    stop_at[0] = 5
    before = torch.get_num_threads()
    torch.set_num_threads(2 if before == 1 else 1)  # around the training: it has threads of its own
    try:
        with pytest.raises(OSError, match="went down"):
            function(settings, job(bank, tmp_path / "stopped", network))
        stop_at[0] = 99
        function(settings, job(bank, tmp_path / "stopped", network))
    finally:
        torch.set_num_threads(before)
    assert outputs(tmp_path / "stopped") == outputs(tmp_path / "whole")
    by_torch, card = read_weights(tmp_path / f"whole/{network}.safetensors")
    by_numpy, other = read_weights(trained / f"{network}.safetensors")
    assert card["last"]["validation"]["loss"] == pytest.approx(other["last"]["validation"]["loss"], rel=1e-3)
    if network == "detector":
        assert card["trained_on"] == other["trained_on"]
        for name, part in by_numpy.items():
            np.testing.assert_allclose(by_torch[name], part, atol=1e-2 * np.abs(part).max())


def test_other_settings_start_again(bank: list[Path], tmp_path: Path) -> None:
    here = job(bank, tmp_path, "detector")
    one = train._key({**DETECTOR.plain(), "bank": {}}, here)
    slower = DETECTOR.training.model_copy(update={"checkpoint_every_steps": 3})
    same = train._key({**DETECTOR.plain(), "training": slower.plain(), "bank": {}}, here)
    scenes = DETECTOR.scenes.model_copy(update={"accelerator": "cpu"})
    elsewhere = train._key({**DETECTOR.plain(), "scenes": scenes.plain(), "bank": {}}, here)
    noisier = DETECTOR.model_copy(update={"scenes": DETECTOR.scenes.model_copy(update={"noise_uv": (1.0, 2.0)})})
    others = [
        train._key({**noisier.plain(), "bank": {}}, here),
        train._key({**DETECTOR.plain(), "bank": {"sha256": ["0"]}}, here),
        train._key({**DETECTOR.plain(), "bank": {}}, dataclasses.replace(here, threads=2)),
    ]
    assert one == same == elsewhere and one not in others and len(set(others)) == 3


def test_held_out_cells_are_never_trained_on(bank: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: dict[str, set[str]] = {}
    whole = PreparedScenes._make

    def listening(self: PreparedScenes, index: int) -> Any:
        heard.setdefault(self.stage, set()).update(entry.cell for entry in self.entries)
        return whole(self, index)

    monkeypatch.setattr(PreparedScenes, "_make", listening)
    train_detector_to_file(DETECTOR, job(bank, tmp_path, "detector", validation_cells=["cell_a"]))
    assert heard == {"simsort-detector": {"cell_b", "cell_c"}, "simsort-detector-validation": {"cell_a"}}


def test_without_held_out_cells_there_is_no_validation(bank: list[Path], tmp_path: Path) -> None:
    train_detector_to_file(DETECTOR, job(bank, tmp_path, "detector", validation_cells=[]))
    assert set(read_csv(tmp_path / "detector.csv")["set"]) == {"training"}
    _, card = read_weights(tmp_path / "detector.safetensors")
    assert card["last"]["validation"] is None


def test_cells_of_the_other_side_are_refused(bank: list[Path], tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cell_b/v000-0 among the entries to train on"):
        train_detector_to_file(DETECTOR, job(bank, tmp_path, "detector", allowed_cells=["cell_a", "cell_c"]))


def test_a_silent_bank_is_refused(bank: list[Path], tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no entry to train on \(1 left out, 0 held out\)"):
        train_detector_to_file(DETECTOR, job(bank[3:], tmp_path, "detector"))


def test_by_hand(bank: list[Path], tmp_path: Path) -> None:
    for cell, file in zip(CELLS, bank, strict=True):
        target = tmp_path / f"bank/{cell}/v000-0.h5"
        target.parent.mkdir(parents=True)
        target.symlink_to(file)
    cells = {"source": "ball_and_stick", "train": CELLS, "test": ["other"]}
    simsort = {"detector": DETECTOR.plain(), "bank_s": 8.0}
    settings = {"run": "x", "seed": 3, "simulation": {"cells": cells}, "simsort": simsort}
    (tmp_path / "x.yaml").write_text(json.dumps(settings))  # JSON is YAML
    weights = tmp_path / "my/detector.safetensors"
    arguments = ["train", str(tmp_path / "x.yaml"), "detector", "--bank", str(tmp_path / "bank"), "-o", str(weights)]
    done = CliRunner().invoke(command_line, arguments)
    assert done.exit_code == 0 and "6 steps" in done.output, done.output
    _, card = read_weights(weights)
    # the cell held out by default is the last, which hardly fires
    assert card["trained_on"]["bank"]["training"] == [f"{cell}/v000-0" for cell in CELLS[:3]]
    assert weights.with_suffix(".csv").is_file()
