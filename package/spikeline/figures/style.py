"""The look that all figures share: one style file, and one colour per cell class, per sorter and per unit."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.offsetbox import AnchoredText

__all__ = [
    "CLASS_COLOURS",
    "MILLIMETRE",
    "STYLE_FILE",
    "bare",
    "cell_class",
    "class_colour",
    "figure_style",
    "mark_scale",
    "panel_letter",
    "scale_bar",
    "short_cell_name",
    "sorter_colour",
    "unit_colour",
]

STYLE_FILE = Path(__file__).with_name("spikeline.mplstyle")
MILLIMETRE = 1 / 25.4
"""Inches per millimetre: figures are sized in millimetres, 180 mm being a full page's width."""

# Okabe and Ito (2008), told apart by all common forms of colour blindness.
_BLACK, _ORANGE, _SKY, _GREEN, _YELLOW = "#000000", "#E69F00", "#56B4E9", "#009E73", "#C9B600"
_BLUE, _VERMILION, _PURPLE, _GREY = "#0072B2", "#D55E00", "#CC79A7", "#7F7F7F"

CLASS_COLOURS = {"excitatory": _VERMILION, "inhibitory": _BLUE, "unclassified": _GREY}
_SORTER_COLOURS = {
    "simple": _GREEN,
    "spykingcircus2": _ORANGE,
    "tridesclous2": _SKY,
    "lupin": _PURPLE,
    "simsort": _BLACK,
    "kilosort4": _VERMILION,
    "mountainsort5": _BLUE,
}
_SPARE_COLOURS = (_YELLOW, "#8C564B", _GREY, "#882255", "#44AA99")
_UNIT_COLOURS = (_VERMILION, _BLUE, _GREEN, _PURPLE, _ORANGE, _SKY, "#882255", "#8C564B", _YELLOW, "#44AA99")

# Morphological types of the Blue Brain models that are excitatory: pyramidal, star pyramidal and spiny stellate cells.
_EXCITATORY = re.compile(r"cADpyr|(^|_)(\w*PC\d?|SP|SS)(_|$)")
_BLUE_BRAIN = re.compile(r"^L\d+_")


@contextlib.contextmanager
def figure_style() -> Iterator[None]:
    """Draw with `STYLE_FILE` and nothing else: a user's own matplotlibrc does not change a figure."""
    with matplotlib.rc_context(fname=str(STYLE_FILE)):
        yield


def cell_class(cell: str) -> str:
    """``"excitatory"`` or ``"inhibitory"`` from a Blue Brain model's name, else ``"unclassified"``."""
    if _EXCITATORY.search(cell):
        return "excitatory"
    return "inhibitory" if _BLUE_BRAIN.match(cell) else "unclassified"


def class_colour(cell: str) -> str:
    """The colour of the cell's class."""
    return CLASS_COLOURS[cell_class(cell)]


def short_cell_name(cell: str) -> str:
    """The layer and the morphological type: ``L5_TTPC1_cADpyr232_1`` -> ``L5 TTPC1``; other names are kept."""
    parts = cell.split("_")
    return f"{parts[0]} {parts[1]}" if _BLUE_BRAIN.match(cell) and len(parts) >= 3 else cell.replace("_", " ")


def sorter_colour(sorter: str, sorters: list[str]) -> str:
    """The colour of a sorter: fixed for the known ones, for others by their place among the unknown ``sorters``."""
    if sorter in _SORTER_COLOURS:
        return _SORTER_COLOURS[sorter]
    unknown = sorted(set(sorters) - set(_SORTER_COLOURS))
    return _SPARE_COLOURS[unknown.index(sorter) % len(_SPARE_COLOURS)]


def unit_colour(index: int) -> str:
    """The colour of the unit with this place in the sorted list of units; colours repeat after ten."""
    return _UNIT_COLOURS[index % len(_UNIT_COLOURS)]


def bare(axes: Axes) -> None:
    """Take away spines and ticks: for panels that carry a scale bar instead."""
    axes.set(xticks=[], yticks=[])
    axes.spines[:].set_visible(False)


def panel_letter(axes: Axes, letter: str) -> None:
    """A bold letter at the upper left, outside the panel."""
    axes.annotate(
        letter,
        xy=(0, 1),
        xycoords="axes fraction",
        xytext=(-10, 8),
        textcoords="offset points",
        fontsize=9,
        fontweight="bold",
        ha="right",
        va="center",
        annotation_clip=False,
    )


def scale_bar(axes: Axes, x: float, y: float, length: float, label: str, *, vertical: bool = False) -> None:
    """A labelled scale bar from (x, y), in data coordinates, upwards if ``vertical``, else to the right."""
    end = (x, y + length) if vertical else (x + length, y)
    axes.plot([x, end[0]], [y, end[1]], color="#222222", linewidth=1.2, solid_capstyle="butt", clip_on=False, zorder=10)
    middle = ((x + end[0]) / 2, (y + end[1]) / 2)
    offset, anchor = (
        ((-2, 0), {"ha": "right", "va": "center"}) if vertical else ((0, -2), {"ha": "center", "va": "top"})
    )
    axes.annotate(
        label,
        xy=middle,
        xytext=offset,
        textcoords="offset points",
        fontsize=6,
        annotation_clip=False,
        zorder=10,
        **anchor,
    )


def mark_scale(figure: Figure, tier: str) -> None:
    """Mark the figure of a quick run as small-scale, on a strip of its own at the foot; other tiers stay unmarked."""
    if tier == "quick":
        strip = 3.2 * MILLIMETRE / figure.get_figheight()
        figure.get_layout_engine().set(rect=(0, strip, 1, 1 - strip))
        note = AnchoredText(
            "quick tier: small scale, not a benchmark",
            loc="lower right",
            frameon=False,
            pad=0.1,
            borderpad=0.2,
            prop={"size": 5.5, "color": "#8A8A8A", "style": "italic"},
            bbox_to_anchor=(1, 0),
            bbox_transform=figure.transFigure,
        )
        note.set_in_layout(False)
        figure.add_artist(note)
