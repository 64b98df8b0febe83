"""Variants of a cell model: factors on its lengths, its diameters and each channel's density."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from spikeline.artifacts import seed_stream
from spikeline.config.simulation import VariantSettings

__all__ = ["PUBLISHED", "VariantFactors", "variant_factors"]

PUBLISHED = "v000"


@dataclass(frozen=True)
class VariantFactors:
    """Factors that turn a published model into one of its variants.

    Parameters
    ----------
    length, diameter
        Factors on all coordinates and on all diameters.
    conductance
        Factor by name of the maximal conductance, e.g. ``{"gNaTs2_tbar_NaTs2_t": 1.07}``; others stay as they are.
    """

    length: float = 1.0
    diameter: float = 1.0
    conductance: Mapping[str, float] = field(default_factory=dict)


def variant_factors(
    root_seed: int, cell: str, variant: str, settings: VariantSettings, conductances: Iterable[str] = ()
) -> VariantFactors:
    """Factors of one variant, drawn uniformly within the settings' bounds; ``v000`` is the model as published.

    Each factor has a stream of its own, so that the factor of one channel does not depend on which others the cell has.

    Parameters
    ----------
    root_seed
        The run's seed.
    cell, variant
        Cell model and variant, e.g. ``"L5_NBC_bAC217_1"``, ``"v003"``.
    settings
        Bounds of the factors.
    conductances
        Names of the cell's maximal conductances.
    """
    if variant == PUBLISHED:
        return VariantFactors()

    def draw(name: str, bounds: tuple[float, float]) -> float:
        return float(seed_stream(root_seed, f"variant {name}", f"{cell}/{variant}").uniform(*bounds))

    return VariantFactors(
        length=draw("length", settings.length_scale),
        diameter=draw("diameter", settings.diameter_scale),
        conductance={name: draw(name, settings.conductance_scale) for name in sorted(conductances)},
    )
