"""The JSON schema of a run's configuration: editors complete and check YAML files with it."""

from __future__ import annotations

import json
from typing import Any

from spikeline.config.run import RunSettings

__all__ = ["SCHEMA_FILE", "run_schema", "schema_text"]

SCHEMA_FILE = "workflow/schemas/config.schema.json"


def run_schema() -> dict[str, Any]:
    """JSON schema (draft 2020-12) of `RunSettings`; each key's unit stands under ``unit`` and ends its description."""
    schema = RunSettings.model_json_schema()
    _units_into_descriptions(schema)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "A run of spikeline"}


def schema_text() -> str:
    """The committed form of the schema."""
    return json.dumps(run_schema(), indent=2, sort_keys=True) + "\n"


def _units_into_descriptions(node: Any) -> None:
    if isinstance(node, dict):
        if isinstance(node.get("unit"), str) and isinstance(node.get("description"), str):
            node["description"] += f" Unit: {node['unit']}."
        for inner in node.values():
            _units_into_descriptions(inner)
    elif isinstance(node, list):
        for inner in node:
            _units_into_descriptions(inner)
