"""The manifest beside every artefact: ``X.h5`` has ``X.h5.manifest.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from spikeline.artifacts.atomic import MANIFEST_SUFFIX, atomic_file
from spikeline.artifacts.plain import plain_json
from spikeline.artifacts.provenance import Provenance, artifact_files, file_checksum
from spikeline.errors import FormatError

__all__ = ["MANIFEST_SUFFIX", "manifest_path", "read_manifest", "write_manifest"]

_REQUIRED = {"schema", "schema_version", "sha256", "bytes", "config_hash", "package_version"}


def manifest_path(artifact: str | Path) -> Path:
    """Where the manifest of ``artifact`` lies."""
    artifact = Path(artifact)
    return artifact.with_name(artifact.name + MANIFEST_SUFFIX)


def write_manifest(
    artifact: str | Path,
    *,
    schema: str,
    schema_version: int = 1,
    provenance: Provenance | None = None,
    content: Mapping[str, Any] | None = None,
) -> None:
    """Write the manifest of a finished artefact, atomically.

    Parameters
    ----------
    artifact
        A file or folder in its final place.
    schema, schema_version
        What kind of artefact it is, e.g. ``"current-bank"``.
    provenance
        What it depended on.
    content
        Units, shapes and other facts about what is inside.
    """
    artifact = Path(artifact)
    manifest = {
        "schema": schema,
        "schema_version": schema_version,
        "sha256": file_checksum(artifact),
        "bytes": sum(file.stat().st_size for file in artifact_files(artifact)),
        **(provenance or Provenance()).describe(),
        "content": dict(content or {}),
    }
    with atomic_file(manifest_path(artifact)) as temporary:
        temporary.write_text(plain_json(manifest, f"the manifest of {artifact}"), encoding="utf-8")


def read_manifest(artifact: str | Path) -> dict[str, Any]:
    """The manifest of ``artifact``.

    Raises
    ------
    FormatError
        If there is none, or it lacks a required entry.
    """
    path = manifest_path(artifact)
    remedy = f"delete {artifact} and run its rule again"
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise FormatError(f"{artifact} has no manifest", f"a finished artefact with {path.name}", remedy) from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise FormatError(f"{path} is not JSON ({error})", "a manifest written by spikeline", remedy) from None
    if not isinstance(manifest, dict):
        raise FormatError(f"{path} holds a {type(manifest).__name__}", "a manifest written by spikeline", remedy)
    missing = sorted(_REQUIRED - set(manifest))
    if missing:
        raise FormatError(f"{path} lacks {', '.join(missing)}", f"the entries {sorted(_REQUIRED)}", remedy)
    return manifest
