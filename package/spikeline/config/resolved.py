"""The fully resolved configuration as an artefact: every key with the value the run used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from spikeline.artifacts import Provenance, write_json
from spikeline.config.run import RunSettings

__all__ = ["RESOLVED_SCHEMA", "resolved_document", "write_resolved"]

RESOLVED_SCHEMA = "resolved-config"


def resolved_document(settings: RunSettings) -> dict[str, Any]:
    """All settings as plain values; of absolute paths only the last part: artefacts name no machine's folders."""
    return _without_machine_paths(settings.plain())


def write_resolved(path: str | Path, settings: RunSettings) -> None:
    """Write the resolved configuration as JSON with its manifest; `load_run` reads it back."""
    document = resolved_document(settings)
    write_json(path, document, schema=RESOLVED_SCHEMA, provenance=Provenance(settings=document, seed=settings.seed))


def _without_machine_paths(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_machine_paths(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_without_machine_paths(inner) for inner in value]
    if isinstance(value, str) and (Path(value).is_absolute() or value.startswith("~")):
        return Path(value).name
    return value
