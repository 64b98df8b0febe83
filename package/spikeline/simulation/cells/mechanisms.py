"""Compile the ion channels of all cell models once, into one library that every job loads."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from spikeline.artifacts import Provenance, atomic_folder, write_manifest
from spikeline.errors import DataError
from spikeline.simulation.cells.cell_sources import CellModel
from spikeline.simulation.cells.channels import CONTENTS, channels_of, checksums_of, missing_channels
from spikeline.simulation.cells.interpreter import neuron_interpreter

__all__ = ["LIBRARY", "compile_mechanisms", "load_mechanisms"]

LIBRARY = "libnrnmech.so"
# Stochastic channels (StochKv) declare these NEURON functions themselves, in a form that NEURON 9's headers contradict
_OLD_PROTOTYPES = re.compile(
    r"^[ \t]*(extern[ \t]+)?(double|void[ \t]*\*)[ \t]*nrn_random_(pick|arg)[ \t]*\([^)]*\)[ \t]*;", re.MULTILINE
)
_loaded: set[Path] = set()


def _need(program: str, remedy: str, path: str) -> str:
    found = shutil.which(program, path=path)
    if found is None:
        raise DataError(
            f"{program} was not found, so the ion channels cannot be compiled", f"{program} on the PATH", remedy
        )
    return found


@contextlib.contextmanager
def _build_folder(channels: dict[str, Path]) -> Iterator[Path]:
    """A private folder, named after the content if free: the compiler writes the folder's name into the library."""
    digest = hashlib.sha256(
        b"\0".join(name.encode() + path.read_bytes() for name, path in channels.items())
    ).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"spikeline-mechanisms-{os.getuid()}-{digest}"
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:  # another job compiles the same channels here, or one was killed: stay out of its way
        folder = Path(tempfile.mkdtemp(prefix="spikeline-mechanisms-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run_nrnivmodl(channels: dict[str, Path], build: Path) -> Path:
    # nrnivmodl is installed beside the interpreter; that folder is not on the PATH unless the environment is activated
    search = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    compiler_remedy = (
        "install a C++ compiler and make (Debian/Ubuntu: apt-get install g++ make; conda: cxx-compiler make)"
    )
    nrnivmodl = _need("nrnivmodl", "pip install neuron==9.0.2 (part of spikeline[simulation])", search)
    _need(os.environ.get("CXX", "g++").split()[0], compiler_remedy, search)
    _need("make", compiler_remedy, search)
    sources = build / "mod"
    sources.mkdir()
    for name, path in channels.items():
        text = path.read_text(encoding="latin-1")
        (sources / name).write_text(_OLD_PROTOTYPES.sub("", text), encoding="latin-1")
    run = subprocess.run(
        [nrnivmodl, "mod"], cwd=build, env={**os.environ, "PATH": search}, capture_output=True, text=True, check=False
    )
    built = sorted(build.glob(f"*/{LIBRARY}")) + sorted(build.glob(f"*/.libs/{LIBRARY}"))
    if run.returncode != 0 or not built:
        log = "\n    ".join((run.stdout + run.stderr).strip().splitlines()[-25:])
        raise DataError(
            f"nrnivmodl failed with exit status {run.returncode}; its last lines:\n    {log}",
            f"{len(channels)} ion channels that compile under this NEURON",
            "mend or leave out the cell model whose channel the log names; MOD files written for NEURON 8 may need "
            "their VERBATIM blocks ported to C++",
        )
    return built[0]


def compile_mechanisms(
    models: Iterable[CellModel], target_folder: str | Path, provenance: Provenance | None = None
) -> None:
    """Compile the channels of all models into ``target_folder``: the library and a list of what is in it.

    Only the library comes out of the build folder. Where no model brings channels (the ball-and-stick cell uses
    NEURON's own) nothing is compiled and only the list is written. The library's bytes depend on the compiler.

    Raises
    ------
    DataError
        If the compiler, make or nrnivmodl is missing, channels of one name differ, or the compilation fails.
    """
    models = list(models)
    channels = channels_of(models)
    with atomic_folder(target_folder) as target:
        if channels:
            with _build_folder(channels) as build:
                shutil.copyfile(_run_nrnivmodl(channels, build), target / LIBRARY)
        contents = {"channels": checksums_of(channels)}
        (target / CONTENTS).write_text(json.dumps(contents, indent=1, sort_keys=True) + "\n")
    write_manifest(target_folder, schema="mechanisms", provenance=provenance, content={"channels": sorted(channels)})


def load_mechanisms(folder: str | Path | None, model: CellModel | None = None) -> None:
    """Load a compiled library into this process's NEURON, once; without a library there is nothing to do.

    Parameters
    ----------
    folder
        Made by `compile_mechanisms`.
    model
        Its channels must be those in the library; None: no check.

    Raises
    ------
    DataError
        If the folder was not made by `compile_mechanisms` or from other channels, or NEURON cannot load the library.
    """
    if folder is None:
        return
    folder = Path(folder).resolve()
    if not (folder / CONTENTS).is_file():
        raise DataError(
            f"{folder} holds no compiled mechanisms",
            "the output of compile_mechanisms",
            "run the rule that compiles mechanisms",
        )
    if model is not None:
        missing = missing_channels(folder, [model])
        if missing:
            raise DataError(
                f"{folder} does not hold {', '.join(missing)} as in {model.folder}",
                "a library compiled from the channels of this cell model as they are now",
                "run the rule that compiles mechanisms again",
            )
    library = folder / LIBRARY
    if library in _loaded or not library.exists():
        return
    h = neuron_interpreter()
    try:
        # A failed dlopen prints its reason and returns 0; a clash of names raises
        loaded, reason = h.nrn_load_dll(str(library)), "its message stands above"
    except RuntimeError as error:
        loaded, reason = 0, str(error)
    if not loaded:
        raise DataError(
            f"NEURON could not load {library} ({reason})",
            "a library compiled by this NEURON on a machine of this kind, in a process that has loaded no other",
            f"delete {folder} and run the rule that compiles mechanisms again",
        )
    _loaded.add(library)
