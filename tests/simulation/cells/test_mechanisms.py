"""Compiling channels: one library, nothing else, and errors that say what to do."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from spikeline.artifacts import read_manifest
from spikeline.errors import DataError
from spikeline.simulation.cells.cell_sources import CellModel
from spikeline.simulation.cells.channels import channels_of
from spikeline.simulation.cells.mechanisms import LIBRARY, compile_mechanisms, load_mechanisms
from tests.simulation.cell_packages import write_package


def package(folder: Path) -> CellModel:
    write_package(folder)
    return CellModel(folder.name, "bbp_folder", folder)


def test_built_in_cells_need_no_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    compile_mechanisms([CellModel("ball_and_stick", "ball_and_stick", None)], tmp_path / "mechanisms")
    assert [path.name for path in (tmp_path / "mechanisms").iterdir()] == ["channels.json"]
    assert read_manifest(tmp_path / "mechanisms")["schema"] == "mechanisms"
    load_mechanisms(tmp_path / "mechanisms")


def test_synapses_are_left_out_and_equal_channels_shared(tmp_path: Path) -> None:
    models = [package(tmp_path / "a"), package(tmp_path / "b")]
    assert channels_of(models) == {"StochKv.mod": tmp_path / "a" / "mechanisms" / "StochKv.mod"}


def test_different_channels_of_one_name_are_both_named(tmp_path: Path) -> None:
    models = [package(tmp_path / "a"), package(tmp_path / "b")]
    (tmp_path / "b" / "mechanisms" / "StochKv.mod").write_text("another channel\n")
    with pytest.raises(DataError, match=r"a/mechanisms/StochKv\.mod and .*b/mechanisms/StochKv\.mod"):
        channels_of(models)


@pytest.mark.parametrize("missing", ["g++", "make", "nrnivmodl"])
def test_a_missing_program_is_named_with_its_remedy(
    missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CXX", raising=False)
    found = shutil.which
    monkeypatch.setattr(shutil, "which", lambda name, path=None: None if name == missing else found("sh"))
    with pytest.raises(DataError, match=rf"{missing.replace('+', '[+]')} was not found") as caught:
        compile_mechanisms([package(tmp_path / "cell")], tmp_path / "mechanisms")
    assert "install" in caught.value.remedy
    assert not (tmp_path / "mechanisms").exists()


@pytest.mark.neuron
def test_a_channel_that_does_not_compile_shows_the_end_of_the_log(tmp_path: Path) -> None:
    model = package(tmp_path / "cell")
    (tmp_path / "cell" / "mechanisms" / "StochKv.mod").write_text(
        "NEURON { SUFFIX Broken }\nBREAKPOINT { nonsense ===\n"
    )
    with pytest.raises(DataError, match=r"(?s)nrnivmodl failed.*StochKv"):
        compile_mechanisms([model], tmp_path / "mechanisms")
    assert not (tmp_path / "mechanisms").exists()


@pytest.mark.neuron
def test_only_the_library_and_its_contents_list_come_out(mechanisms: Path) -> None:
    assert sorted(path.name for path in mechanisms.iterdir()) == ["channels.json", LIBRARY]
    channels = json.loads((mechanisms / "channels.json").read_text())["channels"]
    assert {"NaTa_t.mod", "Ca.mod", "StochKv.mod"} <= set(channels)
    assert not {"ProbAMPANMDA_EMS.mod", "ProbGABAAB_EMS.mod"} & set(channels)


@pytest.mark.neuron
def test_another_process_can_load_it_whatever_lies_in_its_folder(mechanisms: Path, tmp_path: Path) -> None:
    # NEURON loads a library that lies in the working folder by itself; ours must not trip over it
    shutil.copytree(mechanisms, tmp_path / "x86_64")
    code = (
        "from spikeline.simulation.cells.mechanisms import load_mechanisms;"
        "from spikeline.simulation.cells.interpreter import neuron_interpreter;"
        f"load_mechanisms({str(mechanisms)!r}); load_mechanisms({str(mechanisms)!r});"
        "s = neuron_interpreter().Section(name='s'); s.insert('NaTa_t')"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True)


@pytest.mark.neuron
def test_a_folder_that_holds_no_mechanisms_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no compiled mechanisms"):
        load_mechanisms(tmp_path)


def test_a_library_of_other_channels_is_refused(mechanisms: Path, tmp_path: Path) -> None:
    """An edited channel must never be simulated with the library of the old one."""
    model = package(tmp_path / "cell")
    (tmp_path / "cell" / "mechanisms" / "StochKv.mod").write_text("an edited channel\n")
    with pytest.raises(DataError, match=r"does not hold StochKv\.mod") as caught:
        load_mechanisms(mechanisms, model)
    assert "compiles mechanisms again" in caught.value.remedy
    (tmp_path / "cell" / "mechanisms" / "StochKv.mod").rename(tmp_path / "cell" / "mechanisms" / "New.mod")
    with pytest.raises(DataError, match=r"does not hold New\.mod"):
        load_mechanisms(mechanisms, model)


@pytest.mark.neuron
def test_a_damaged_library_is_refused(mechanisms: Path, tmp_path: Path) -> None:
    shutil.copytree(mechanisms, tmp_path / "copy")
    (tmp_path / "copy" / LIBRARY).write_bytes(b"not a library")
    with pytest.raises(DataError, match="could not load"):
        load_mechanisms(tmp_path / "copy")
