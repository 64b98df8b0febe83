"""The files in the repository that are written from the settings models, and whether they are in step."""

from __future__ import annotations

from pathlib import Path

from spikeline.config.commented import REFERENCE_FILE, commented_yaml
from spikeline.config.schema import SCHEMA_FILE, schema_text
from spikeline.errors import ConfigError

__all__ = ["check_committed", "committed_files", "write_committed"]


def committed_files() -> dict[str, str]:
    """Path below the repository's root -> the text that belongs there."""
    return {SCHEMA_FILE: schema_text(), REFERENCE_FILE: commented_yaml()}


def write_committed(root: str | Path = ".") -> list[str]:
    """Write the files that are out of step; return their paths below ``root``."""
    root = _checked_root(root)
    stale = _stale(root)
    for name in stale:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(committed_files()[name], encoding="utf-8")
    return stale


def check_committed(root: str | Path = ".") -> None:
    """Check that the files are what the models say.

    Raises
    ------
    ConfigError
        If one is missing or out of step.
    """
    if stale := _stale(_checked_root(root)):
        raise ConfigError(
            f"out of step with the settings models: {', '.join(stale)}",
            "the text written from package/spikeline/config",
            "run `spikeline config write` and commit the result",
        )


def _stale(root: Path) -> list[str]:
    return [
        name
        for name, text in committed_files().items()
        if not (root / name).is_file() or (root / name).read_text(encoding="utf-8") != text
    ]


def _checked_root(root: str | Path) -> Path:
    root = Path(root)
    if not (root / "config").is_dir():
        raise ConfigError(
            f"{root.resolve()} has no folder config", "the root of a spikeline checkout", "change there, or pass --root"
        )
    return root
