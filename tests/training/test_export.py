"""Weights out of a module and back into one."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from spikeline.artifacts import Provenance, file_checksum, read_manifest
from spikeline.errors import FormatError
from spikeline.training import export_weights, load_weights, seeded


def _model(hidden: int = 3) -> nn.Module:
    with seeded(1, "model"):
        return nn.Sequential(nn.Conv1d(2, hidden, 3), nn.BatchNorm1d(hidden))


def test_round_trip(tmp_path: Path) -> None:
    path, model = tmp_path / "m.safetensors", _model()
    export_weights(model, path, {"hidden": 3}, provenance=Provenance({"steps": 3}, seed=1))
    other = nn.Sequential(nn.Conv1d(2, 3, 3), nn.BatchNorm1d(3))
    assert load_weights(other, path)["hidden"] == 3
    assert all(torch.equal(part, other.state_dict()[name]) for name, part in model.state_dict().items())
    assert read_manifest(path)["seed"] == 1
    export_weights(other, tmp_path / "n.safetensors", {})
    assert file_checksum(path) == file_checksum(tmp_path / "n.safetensors")


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (nn.Sequential(nn.Conv1d(2, 3, 3)), r"unexpected 1\.bias"),
        (nn.Sequential(*_model(), nn.Linear(3, 1)), r"missing 2\.weight; missing 2\.bias"),
        (_model(5), r"0\.weight is \(3, 2, 3\) float32 and not \(5, 2, 3\) float32"),
        (_model().double(), r"float32 and not \(3, 2, 3\) float64"),
    ],
)
def test_weights_of_another_model(module: nn.Module, message: str, tmp_path: Path) -> None:
    export_weights(_model(), tmp_path / "m.safetensors", {})
    before = {name: part.clone() for name, part in module.state_dict().items()}
    with pytest.raises(FormatError, match=message):
        load_weights(module, tmp_path / "m.safetensors")
    assert all(torch.equal(part, before[name]) for name, part in module.state_dict().items())
