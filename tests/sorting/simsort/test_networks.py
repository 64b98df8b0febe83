"""Networks read from a folder: only pairs that belong together, on a device that is there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from spikeline.artifacts import read_json
from spikeline.errors import ConfigError, FormatError
from spikeline.sorting.simsort import networks
from spikeline.sorting.simsort.detector import Detector
from spikeline.sorting.simsort.identifier import Identifier
from spikeline.sorting.simsort.networks import Networks, load_networks
from spikeline.training.export import export_weights
from tests.sorting.simsort.planted import noise

FACTS = {"sampling_rate_hz": 1e4, "band_hz": [300, 3000]}
SMALL = {
    "detector": (Detector, {"width": 4, "dilations": [1, 2]}),
    "identifier": (Identifier, {"dimensions": 3, "width": 4, "layers": 1}),
}


def write(folder: Path, **cards: dict[str, Any]) -> Path:
    """Both networks, with other entries on the card of one; None takes an entry away."""
    for name, (kind, architecture) in SMALL.items():
        torch.manual_seed(0)
        card = {"architecture": architecture, **FACTS, **cards.get(name, {})}
        card = {key: value for key, value in card.items() if value is not None}
        export_weights(kind(**architecture), folder / f"{name}.safetensors", card)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="module")
def loaded(folder: Path) -> Networks:
    return load_networks(folder, "cpu")


def test_what_was_written_is_read(folder: Path, loaded: Networks) -> None:
    assert (loaded.sampling_rate_hz, loaded.band_hz) == (10_000.0, (300.0, 3000.0))
    assert not loaded.detector.training and not loaded.identifier.training
    torch.manual_seed(0)
    same = Detector(width=4, dilations=(1, 2))
    for name, part in same.state_dict().items():
        assert torch.equal(part, loaded.detector.state_dict()[name])
    assert load_networks(str(folder), "auto").sampling_rate_hz == 10_000


def test_the_packages_own_weights_are_the_default(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks, "SHIPPED_WEIGHTS", folder)
    assert load_networks(device="cpu").detector.margin == 3 + 2 * (1 + 2)


def test_points_do_not_depend_on_how_many_there_are(loaded: Networks, monkeypatch: pytest.MonkeyPatch) -> None:
    traces, peaks = noise(3000), np.arange(0, 3000, 37)
    points = loaded.embed(traces, peaks)
    assert points.shape == (len(peaks), 3) and points.dtype == np.float32
    monkeypatch.setattr(networks, "_BATCH", 10)
    np.testing.assert_allclose(loaded.embed(traces, peaks), points, atol=1e-5)
    np.testing.assert_allclose(loaded.embed(traces, peaks[5:6]), points[5:6], atol=1e-5)
    traces[:, 1:] = 0
    np.testing.assert_allclose(loaded.embed(traces[:, :1].copy(), peaks), loaded.embed(traces, peaks), atol=1e-5)


def test_detection_is_the_peaks_of_the_probability(loaded: Networks) -> None:
    traces = 5 * noise(3000)
    few, many = (loaded.detect(traces, probability) for probability in (0.6, 0.3))
    assert len(few) <= len(many) and set(few.tolist()) <= set(many.tolist())


@pytest.mark.parametrize("name", SMALL)
def test_a_card_without_an_architecture_is_refused(name: str, tmp_path: Path) -> None:
    write(tmp_path, **{name: {"architecture": None}})
    with pytest.raises(FormatError, match=f"{name}.safetensors says no architecture"):
        load_networks(tmp_path, "cpu")


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize(("key", "value"), [("band_hz", [300, 4500]), ("band_hz", None), ("sampling_rate_hz", 2e4)])
def test_networks_of_different_traces_are_refused(name: str, key: str, value: Any, tmp_path: Path) -> None:
    write(tmp_path, **{name: {key: value}})
    with pytest.raises(FormatError, match=f"the detector's {key} is .* and the identifier's"):
        load_networks(tmp_path, "cpu")


def test_cards_that_both_say_no_band_are_refused(tmp_path: Path) -> None:
    write(tmp_path, detector={"band_hz": None}, identifier={"band_hz": None})
    with pytest.raises(FormatError, match="the detector's band_hz is None"):
        load_networks(tmp_path, "cpu")


def test_other_weights_than_the_card_says_are_refused(tmp_path: Path) -> None:
    write(tmp_path, detector={"architecture": {"width": 5, "dilations": [1, 2]}})
    with pytest.raises(FormatError, match="not those of a Detector"):
        load_networks(tmp_path, "cpu")


def test_a_folder_without_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match=r"detector\.safetensors does not exist"):
        load_networks(tmp_path, "cpu")
    write(tmp_path)
    (tmp_path / "identifier.safetensors").unlink()
    with pytest.raises(FormatError, match=r"identifier\.safetensors does not exist"):
        load_networks(tmp_path, "cpu")


def test_damaged_weights_are_refused(tmp_path: Path) -> None:
    write(tmp_path)
    assert "weights_sha256" in read_json(tmp_path / "detector.card.json")
    path = tmp_path / "detector.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(FormatError, match="checksums differ"):
        load_networks(tmp_path, "cpu")


def test_devices(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="device is 'tpu'"):
        load_networks(folder, "tpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match="torch sees no GPU"):
        load_networks(folder, "cuda")
    assert next(load_networks(folder, "auto").detector.parameters()).device.type == "cpu"
