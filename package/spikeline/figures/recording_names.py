"""Names of recordings under an axis, where there is little room for each."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes

__all__ = ["name_recordings"]

_LINE = 96  # letters that fit side by side below a figure of full width


def name_recordings(axes: Axes, names: Sequence[str], facts: Mapping[str, str] | None = None) -> None:
    """Write each name below its place 0, 1, ... of the x axis, broken into lines as short as needed.

    Parameters
    ----------
    axes
        As wide as the figure.
    names
        With underscores for spaces.
    facts
        Further lines for some of them.
    """
    width = max(9, _LINE // max(len(names), 1))
    labels = []
    for name in names:
        lines = textwrap.wrap(name.replace("_", " "), width, break_long_words=False)
        for line in (facts or {}).get(name, "").splitlines():
            lines += textwrap.wrap(line, width)
        labels.append("\n".join(lines))
    axes.set_xticks(range(len(names)), labels, fontsize=6 if len(names) < 8 else 5.5)
