"""Where an artefact came from: what its manifest says beside its content."""

from __future__ import annotations

import functools
import hashlib
import os
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import spikeline
from spikeline.artifacts.plain import plain_json

__all__ = ["Provenance", "artifact_files", "config_hash", "file_checksum", "git_commit"]


def config_hash(settings: Any) -> str:
    """A short hash of the settings an artefact depends on (JSON with sorted keys).

    Raises
    ------
    FormatError
        If a value has no plain form: the text of an arbitrary object may hold its address and change with every run.
    """
    return hashlib.sha256(plain_json(settings, "settings", indent=None).strip().encode()).hexdigest()[:16]


def artifact_files(path: str | Path) -> list[Path]:
    """The files an artefact consists of, sorted; Snakemake's mark in a folder that is an output is none of them."""
    path = Path(path)
    if not path.is_dir():
        return [path]
    return sorted(inner for inner in path.rglob("*") if inner.is_file() and inner.name != ".snakemake_timestamp")


def file_checksum(path: str | Path) -> str:
    """SHA-256 of a file; of a folder, over the sorted relative paths, sizes and contents of its files."""
    path = Path(path)
    digest = hashlib.sha256()
    for file in artifact_files(path):
        if path.is_dir():
            digest.update(f"{file.relative_to(path).as_posix()}\0{file.stat().st_size}\0".encode())
        with file.open("rb") as stream:
            while block := stream.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


@functools.cache
def git_commit() -> str:
    """The commit of the checkout the package runs from, ``"unknown"`` outside one; ``+changes`` marks local edits."""
    package = Path(spikeline.__file__).parent

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(package), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        # An environment installed inside some other project's checkout must not report that project's commit.
        git("ls-files", "--error-unmatch", "__init__.py")
        commit = git("rev-parse", "HEAD")
        changes = git("status", "--porcelain", "--untracked-files=no", "--", str(package))
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return commit + ("+changes" if changes else "")


@dataclass(frozen=True)
class Provenance:
    """What an artefact depended on.

    Parameters
    ----------
    settings
        The configuration keys it depends on; only their hash is stored.
    seed
        The run's root seed, or None where nothing random was drawn.
    inputs
        Files or folders it was computed from; stored by checksum, named relative to ``root``. Those outside it are
        named by as many of their last path parts as tell them apart.
    root
        The folder that input names are relative to (the run's results folder), so that manifests carry no machine's
        paths.
    """

    settings: Mapping[str, Any] = field(default_factory=dict)
    seed: int | None = None
    inputs: Iterable[str | Path] = ()
    root: str | Path | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "inputs", tuple(sorted({Path(p) for p in self.inputs})))

    @classmethod
    def of_job(cls, job: Any) -> Provenance:
        """Of one Snakemake job (the ``snakemake`` object of its script): its params, its inputs, its run's folder."""
        settings = dict(job.params.items())
        return cls(settings, settings.get("seed"), list(job.input), Path("results") / job.config["run"])

    def describe(self) -> dict[str, Any]:
        """The manifest's share of this provenance: hashes and names, no paths outside ``root``."""
        return {
            "config_hash": config_hash(self.settings),
            "seed": self.seed,
            "inputs": {name: file_checksum(path) for name, path in self._named_inputs().items()},
            "package_version": spikeline.__version__,
            "git_commit": git_commit(),
        }

    def _named_inputs(self) -> dict[str, Path]:
        root = None if self.root is None else Path(self.root).resolve()
        resolved = {path: Path(os.path.abspath(path)).resolve() for path in self.inputs}
        inside = {path for path, real in resolved.items() if root is not None and real.is_relative_to(root)}
        named = {resolved[path].relative_to(root).as_posix(): path for path in inside}
        outside = [path for path in self.inputs if path not in inside]
        for path in outside:
            parts = resolved[path].parts
            for count in range(1, len(parts) + 1):
                name = "/".join(parts[-count:])
                rivals = [
                    "/".join(resolved[other].parts[-count:]) for other in outside if resolved[other] != resolved[path]
                ]
                if name not in rivals and name not in named:
                    break
            named[name] = path
        return named
