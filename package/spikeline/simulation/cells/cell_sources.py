"""Where cell models come from. Lists them by looking at folders only: nothing is imported, so a DAG is planned fast."""

from __future__ import annotations

import difflib
import importlib.util
import re
from dataclasses import dataclass
from pathlib import Path

from spikeline.config.simulation import CellSettings
from spikeline.errors import DataError

__all__ = ["REQUIRED_FILES", "CellModel", "find_cell_models"]

REQUIRED_FILES = ("template.hoc", "biophysics.hoc", "morphology.hoc")
_LICENCE = {
    "mearec": "CC-BY-NC-SA 4.0 (Blue Brain Project, EPFL)",
    "bbp_folder": "that of the package; Blue Brain packages are CC-BY-NC-SA 4.0",
    "ball_and_stick": "MIT",
}
_BALL_AND_STICK = re.compile(r"ball_and_stick(_[1-9][0-9]*)?")


@dataclass(frozen=True)
class CellModel:
    """One cell model on disk.

    Parameters
    ----------
    name
        Name of its folder, e.g. ``L5_TTPC1_cADpyr232_1``; ``ball_and_stick`` or ``ball_and_stick_2`` for the
        built-in cell.
    source
        ``mearec``, ``bbp_folder`` or ``ball_and_stick``.
    folder
        Its single-cell package; None for the built-in cell.
    """

    name: str
    source: str
    folder: Path | None

    @property
    def licence(self) -> str:
        """Licence of the model; non-commercial terms reach what is derived from it, perhaps trained weights too."""
        return _LICENCE[self.source]

    @property
    def files(self) -> list[Path]:
        """The files of the package that a simulation reads: templates, morphology and channels. Inputs of the rules."""
        if self.folder is None:
            return []
        inner = [*self.folder.glob("morphology/*"), *self.folder.glob("mechanisms/*.mod")]
        return sorted([*(self.folder / name for name in REQUIRED_FILES), *(path for path in inner if path.is_file())])


def _mearec_folder() -> Path:
    # find_spec does not run the package: MEArec imports matplotlib, neo and more, seconds that a DAG has no use for
    found = importlib.util.find_spec("MEArec")
    if found is None or not found.submodule_search_locations:
        raise DataError(
            "simulation.cells.source is mearec, and MEArec is not installed",
            "the MEArec wheel, which carries 13 Blue Brain layer-5 models",
            "pip install 'spikeline[simulation]' (leave out MEArec's own extra 'templates': it asks for neuron < 9), "
            "or set simulation.cells.source to bbp_folder or ball_and_stick",
        )
    folder = Path(next(iter(found.submodule_search_locations))) / "cell_models" / "bbp"
    if not folder.is_dir():
        raise DataError(
            f"the installed MEArec has no {folder}", "MEArec 1.11.0 with its cell models", "pip install mearec==1.11.0"
        )
    return folder


def _packages(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise DataError(
            f"simulation.cells.folder = {folder} is not a folder",
            "a folder of single-cell packages, one folder per model",
            "give the folder that the unpacked packages lie in (absolute, or relative to where you start the run)",
        )
    if any((folder / name).is_file() for name in REQUIRED_FILES):
        raise DataError(
            f"simulation.cells.folder = {folder} is itself a single-cell package",
            "the folder that packages lie in",
            f"set simulation.cells.folder to {folder.parent} and name {folder.name} under train or test",
        )
    return {
        path.name: path for path in sorted(folder.iterdir()) if path.is_dir() and not path.name.startswith((".", "_"))
    }


def _check_package(name: str, folder: Path) -> None:
    missing = [file for file in REQUIRED_FILES if not (folder / file).is_file()]
    missing += [inner for inner in ("morphology", "mechanisms") if not (folder / inner).is_dir()]
    if missing:
        raise DataError(
            f"cell model {name}: {folder} has no {', '.join(missing)}",
            f"a Blue Brain single-cell package with {', '.join(REQUIRED_FILES)}, morphology/ and mechanisms/",
            "unpack the package again (Neocortical Microcircuit portal), or take the model out of simulation.cells",
        )


def _unknown(name: str, available: list[str], where: str) -> DataError:
    nearest = difflib.get_close_matches(name, available, n=1, cutoff=0.4)
    shown = ", ".join(available[:20]) + (f", ... ({len(available)} in all)" if len(available) > 20 else "")
    return DataError(
        f"cell model {name!r} is not in {where}",
        f"one of: {shown or 'nothing, there is none'}",
        f"did you mean {nearest[0]!r}?"
        if nearest
        else "correct the names under simulation.cells.train and simulation.cells.test",
    )


def find_cell_models(settings: CellSettings) -> dict[str, CellModel]:
    """The cell models that ``settings`` names, training ones first.

    Raises
    ------
    DataError
        If MEArec is not installed, a folder is not what it should be, or a name is not there (the nearest is given).
    """
    if settings.source == "ball_and_stick":
        for name in settings.names:
            if not _BALL_AND_STICK.fullmatch(name):
                raise _unknown(name, ["ball_and_stick", "ball_and_stick_1", "ball_and_stick_2"], "the built-in cells")
        return {name: CellModel(name, settings.source, None) for name in settings.names}
    folder = _mearec_folder() if settings.source == "mearec" else Path(settings.folder or "")
    packages = _packages(folder)
    models = {}
    for name in settings.names:
        if name not in packages:
            raise _unknown(name, sorted(packages), "the MEArec wheel" if settings.source == "mearec" else str(folder))
        _check_package(name, packages[name])
        models[name] = CellModel(name, settings.source, packages[name])
    return models
