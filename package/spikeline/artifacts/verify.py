"""Recheck a tree of results: artefacts against their manifests and inputs, and nothing that should not be there."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from spikeline.artifacts.atomic import MANIFEST_SUFFIX, is_leftover
from spikeline.artifacts.hdf5 import check_links, open_hdf5
from spikeline.artifacts.manifest import manifest_path, read_manifest
from spikeline.artifacts.pickles import pickle_inside
from spikeline.artifacts.provenance import artifact_files, file_checksum
from spikeline.errors import DataError, FormatError

__all__ = ["WITHOUT_MANIFEST", "Finding", "TreeReport", "verify_tree"]

WITHOUT_MANIFEST = {
    "logs": "what jobs printed",
    "benchmarks": "time and memory of jobs, written by Snakemake",
    ".snakemake": "Snakemake's own notes",
    "report.html": "Snakemake's report, made after the run",
    ".snakemake_timestamp": "Snakemake's mark in a folder",
}
_WORK = ".work-"  # in the name of a hidden folder: the finished parts of an artefact that is still to be finished
_HDF5 = {".h5", ".hdf5", ".nwb"}


@dataclass(frozen=True)
class Finding:
    """One thing wrong (or, with ``harmless``, merely worth knowing) about one path below the tree."""

    kind: str
    path: str
    message: str
    harmless: bool = False


@dataclass
class TreeReport:
    """What `verify_tree` saw.

    Parameters
    ----------
    artifacts
        Number of artefacts whose manifest was found.
    bytes
        Their size.
    findings
        In the order of their paths.
    """

    artifacts: int = 0
    bytes: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """True if every finding is harmless."""
        return all(finding.harmless for finding in self.findings)

    def plain(self) -> dict[str, Any]:
        """The report as plain JSON values."""
        return {
            "ok": self.ok,
            "artifacts": self.artifacts,
            "bytes": self.bytes,
            "findings": [vars(f) for f in self.findings],
        }


def verify_tree(results: str | Path) -> TreeReport:
    """Recheck everything below a folder of results (one run, or several).

    Found are: artefacts whose size, checksum, schema or arrays differ from their manifest (``damaged``), whose inputs
    have changed since (``stale``), without a manifest (``unfinished``), manifests whose artefact is gone (``orphan``)
    or that cannot be read (``manifest``); ``pickle``; links that lead out of the tree or out of an HDF5 file
    (``escape``); and, harmless, what a killed writer left behind (``leftover``). `WITHOUT_MANIFEST` lists what needs
    no manifest.

    Raises
    ------
    DataError
        If ``results`` is not a folder.
    """
    root = Path(results)
    if not root.is_dir():
        raise DataError(
            f"{root} is not a folder",
            "a folder of results, e.g. results/quick",
            "run the workflow first, or check the path",
        )
    report = TreeReport()
    files, leftovers, links = _walk(root)
    for path in leftovers:
        _add(report, root, "leftover", path, _fate(path), harmless=True)
    for path in links:
        _check_symlink(report, root, path)
    manifests = {path for path in files if path.name.endswith(MANIFEST_SUFFIX)}
    covered = {path.with_name(path.name.removesuffix(MANIFEST_SUFFIX)) for path in manifests}
    checksums: dict[Path, str] = {}
    for manifest in sorted(manifests):
        _check_artifact(report, root, manifest.with_name(manifest.name.removesuffix(MANIFEST_SUFFIX)), checksums)
    for path in files:
        _check_file(report, root, path)
        if not _is_covered(path, root, covered | manifests) and not _needs_no_manifest(path.relative_to(root)):
            _add(
                report,
                root,
                "unfinished",
                path,
                f"no {manifest_path(path).name} beside it; delete it and run its rule again",
            )
    report.findings.sort(key=lambda finding: (finding.path, finding.kind))
    return report


def _add(report: TreeReport, root: Path, kind: str, path: Path, message: str, harmless: bool = False) -> None:
    report.findings.append(
        Finding(kind, path.relative_to(root).as_posix(), message.replace(f"{root}{os.sep}", ""), harmless)
    )


def _is_left_over(path: Path) -> bool:
    return is_leftover(path) or (path.name.startswith(".") and _WORK in path.name)


def _fate(path: Path) -> str:
    if _WORK in path.name:
        return "finished parts of a job that was stopped; the next run of its rule goes on from them"
    return "left by a writer that was killed; the next run of its rule removes it"


def _walk(root: Path) -> tuple[list[Path], list[Path], list[Path]]:
    """Regular files, leftovers and symbolic links below ``root``; neither of the latter two is descended into."""
    files: list[Path] = []
    leftovers: list[Path] = []
    links: list[Path] = []
    for folder, names, file_names in os.walk(root):
        here = Path(folder)
        links += [here / name for name in names if (here / name).is_symlink()]
        leftovers += [here / name for name in names if _is_left_over(here / name)]
        names[:] = sorted(name for name in names if not _is_left_over(here / name) and not (here / name).is_symlink())
        for name in sorted(file_names):
            path = here / name
            (links if path.is_symlink() else leftovers if _is_left_over(path) else files).append(path)
    return files, leftovers, links


def _is_covered(path: Path, root: Path, covered: set[Path]) -> bool:
    return path in covered or any(
        parent in covered for parent in path.parents if parent != root and parent.is_relative_to(root)
    )


def _needs_no_manifest(path: Path) -> bool:
    return any(part in WITHOUT_MANIFEST for part in path.parts)


def _check_symlink(report: TreeReport, root: Path, path: Path) -> None:
    target = path.resolve()
    if not target.is_relative_to(root.resolve()):
        _add(report, root, "escape", path, "a link that leads out of the results")
    elif not target.exists():
        _add(report, root, "damaged", path, "a link to nothing")


def _check_file(report: TreeReport, root: Path, path: Path) -> None:
    if ".snakemake" in path.relative_to(root).parts:
        return
    if (reason := pickle_inside(path)) is not None:
        _add(report, root, "pickle", path, f"{reason}; reading it could run any code")
    if path.suffix in _HDF5:
        try:
            check_links(path)
        except FormatError as error:
            _add(report, root, "damaged" if "cannot be read" in error.seen else "escape", path, error.seen)


def _check_artifact(report: TreeReport, root: Path, path: Path, checksums: dict[Path, str]) -> None:
    try:
        manifest = read_manifest(path)
    except FormatError as error:
        _add(report, root, "manifest", manifest_path(path), error.seen)
        return
    if not path.exists():
        _add(report, root, "orphan", manifest_path(path), f"{path.name} is gone; run its rule again")
        return
    report.artifacts += 1
    size = sum(file.stat().st_size for file in artifact_files(path))
    report.bytes += size
    if size != manifest["bytes"]:
        _add(report, root, "damaged", path, f"{size} bytes, its manifest says {manifest['bytes']}")
    elif _checksum(path, checksums) != manifest["sha256"]:
        _add(
            report,
            root,
            "damaged",
            path,
            "its checksum is not that of its manifest: the content changed after it was written",
        )
    else:
        for message in _content_problems(path, manifest):
            _add(report, root, "damaged", path, message)
    for name, checksum in dict(manifest.get("inputs") or {}).items():
        source = _find_input(root, path, name)
        if source is not None and _checksum(source, checksums) != checksum:
            _add(report, root, "stale", path, f"its input {name} has changed since it was made; run its rule again")


def _checksum(path: Path, checksums: dict[Path, str]) -> str:
    if path not in checksums:
        checksums[path] = file_checksum(path)
    return checksums[path]


def _find_input(root: Path, artifact: Path, name: str) -> Path | None:
    """The file an input's name stands for, if it lies in the tree; names are relative to the run's folder."""
    if Path(name).is_absolute() or ".." in Path(name).parts:
        return None
    for folder in artifact.parents:
        if not folder.is_relative_to(root):
            return None
        if (folder / name).exists() and folder / name != artifact:
            return folder / name
    return None


def _content_problems(path: Path, manifest: dict[str, Any]) -> Iterator[str]:
    try:
        if path.suffix in _HDF5:
            with open_hdf5(path, manifest["schema"], manifest["schema_version"]) as file:
                for name, facts in manifest.get("content", {}).get("arrays", {}).items():
                    if (
                        name not in file
                        or list(file[name].shape) != facts["shape"]
                        or str(file[name].dtype) != facts["dtype"]
                    ):
                        yield f"the array {name} is not as its manifest says"
        elif path.suffix == ".json":
            json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse_constant)
        elif path.suffix == ".safetensors":
            from safetensors.numpy import load

            load(path.read_bytes())
    except FormatError as error:
        yield error.seen
    except Exception as error:  # a library's complaint about content, whatever its type, is a finding and not a crash
        yield f"cannot be read ({type(error).__name__}: {error})"


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
