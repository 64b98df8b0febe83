"""Listing cell models: what is found, what is refused, and that nothing heavy is imported for it."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from spikeline.config.simulation import CellSettings
from spikeline.errors import DataError
from spikeline.simulation.cells.cell_sources import find_cell_models
from tests.simulation.cell_packages import write_package

needs_mearec = pytest.mark.skipif(importlib.util.find_spec("MEArec") is None, reason="MEArec is not installed")


def folder_settings(folder: Path, *names: str) -> CellSettings:
    return CellSettings(source="bbp_folder", folder=str(folder), train=list(names), test=[])


@needs_mearec
def test_the_wheel_has_the_named_model_with_its_licence_and_files() -> None:
    models = find_cell_models(CellSettings(train=["L5_TTPC1_cADpyr232_1"], test=["L5_NBC_bAC217_1"]))
    assert list(models) == ["L5_TTPC1_cADpyr232_1", "L5_NBC_bAC217_1"]
    model = models["L5_TTPC1_cADpyr232_1"]
    assert "CC-BY-NC-SA" in model.licence
    names = {path.name for path in model.files}
    assert {"template.hoc", "biophysics.hoc", "morphology.hoc", "NaTa_t.mod"} <= names
    assert not {"run.py", "synapses.hoc"} & names


@needs_mearec
def test_a_misspelt_model_is_answered_with_the_nearest() -> None:
    with pytest.raises(DataError, match="did you mean 'L5_TTPC1_cADpyr232_1'"):
        find_cell_models(CellSettings(train=["L5_TTPC1_cADpyr232_7"], test=[]))


def test_listing_imports_neither_neuron_nor_mearec() -> None:
    code = (
        "import sys; from spikeline.simulation.cells.cell_sources import find_cell_models;"
        "from spikeline.config.simulation import CellSettings;"
        "find_cell_models(CellSettings(source='ball_and_stick', train=['ball_and_stick'], test=[]));"
        "heavy = {'neuron', 'MEArec', 'LFPy', 'torch', 'spikeinterface', 'scipy', 'numba'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_without_mearec_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DataError, match="MEArec is not installed"):
        find_cell_models(CellSettings(train=["L5_NBC_bAC217_1"], test=[]))


def test_a_folder_of_packages_gives_its_models(tmp_path: Path) -> None:
    write_package(tmp_path / "L23_PC_cADpyr229_1")
    models = find_cell_models(folder_settings(tmp_path, "L23_PC_cADpyr229_1"))
    assert models["L23_PC_cADpyr229_1"].folder == tmp_path / "L23_PC_cADpyr229_1"


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is not a folder"):
        find_cell_models(folder_settings(tmp_path / "nowhere", "a"))


def test_a_package_in_place_of_its_folder_is_recognised(tmp_path: Path) -> None:
    write_package(tmp_path / "packages" / "cell")
    with pytest.raises(DataError, match="is itself a single-cell package"):
        find_cell_models(folder_settings(tmp_path / "packages" / "cell", "cell"))


def test_an_incomplete_package_is_named_with_what_it_lacks(tmp_path: Path) -> None:
    write_package(tmp_path / "cell")
    (tmp_path / "cell" / "biophysics.hoc").unlink()
    with pytest.raises(DataError, match=r"cell model cell: .* has no biophysics\.hoc"):
        find_cell_models(folder_settings(tmp_path, "cell"))


def test_a_model_that_is_not_there_is_refused(tmp_path: Path) -> None:
    write_package(tmp_path / "cell_1")
    with pytest.raises(DataError, match="did you mean 'cell_1'"):
        find_cell_models(folder_settings(tmp_path, "cell_2"))


def test_built_in_cells_go_by_number_and_nothing_else() -> None:
    settings = CellSettings(
        source="ball_and_stick", train=["ball_and_stick", "ball_and_stick_1"], test=["ball_and_stick_12"]
    )
    models = find_cell_models(settings)
    assert [model.files for model in models.values()] == [[], [], []]
    with pytest.raises(DataError, match="ball_and_stick_x"):
        find_cell_models(CellSettings(source="ball_and_stick", train=["ball_and_stick_x"], test=[]))
