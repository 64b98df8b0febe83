"""A figure as it is when it is saved, to look at its axes."""

from __future__ import annotations

from types import ModuleType

import pytest
from matplotlib.figure import Figure

__all__ = ["caught"]


def caught(monkeypatch: pytest.MonkeyPatch, module: ModuleType) -> list[Figure]:
    """Figures that a module of `spikeline.figures` saves from now on."""
    figures: list[Figure] = []
    save = module.save_figure

    def kept(figure, *arguments, **options):
        figures.append(figure)
        return save(figure, *arguments, **options)

    monkeypatch.setattr(module, "save_figure", kept)
    return figures
