"""Factors of a variant: v000 published, others within bounds, each channel on its own stream."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from spikeline.config.simulation import VariantSettings
from spikeline.simulation.cells.variants import VariantFactors, variant_factors

CHANNELS = ["gNaTa_tbar_NaTa_t", "gSKv3_1bar_SKv3_1"]


def test_v000_is_the_model_as_published() -> None:
    assert variant_factors(1, "cell", "v000", VariantSettings(count=5), CHANNELS) == VariantFactors()


@given(seed=st.integers(0, 2**31 - 1), number=st.integers(1, 999))
def test_factors_stay_within_their_bounds(seed: int, number: int) -> None:
    settings = VariantSettings(
        count=1000, length_scale=(0.9, 0.95), diameter_scale=(1.0, 1.0), conductance_scale=(0.5, 2.0)
    )
    factors = variant_factors(seed, "cell", f"v{number:03d}", settings, CHANNELS)
    assert 0.9 <= factors.length <= 0.95
    assert factors.diameter == 1.0
    assert sorted(factors.conductance) == sorted(CHANNELS)
    assert all(0.5 <= factor <= 2.0 for factor in factors.conductance.values())
    assert factors.conductance[CHANNELS[0]] != factors.conductance[CHANNELS[1]]


def test_variants_cells_and_seeds_differ_and_repeat() -> None:
    settings = VariantSettings(count=3)
    drawn = {variant_factors(s, c, v, settings).length for s in (1, 2) for c in ("a", "b") for v in ("v001", "v002")}
    assert len(drawn) == 8
    assert variant_factors(1, "a", "v001", settings, CHANNELS) == variant_factors(1, "a", "v001", settings, CHANNELS)


def test_a_channels_factor_does_not_depend_on_the_others() -> None:
    both = variant_factors(1, "a", "v001", VariantSettings(), CHANNELS).conductance
    alone = variant_factors(1, "a", "v001", VariantSettings(), CHANNELS[1:]).conductance
    assert alone[CHANNELS[1]] == both[CHANNELS[1]]
