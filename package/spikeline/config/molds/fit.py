"""Settings of one fit of a mixture of linear dynamical systems: from moments to EM."""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from spikeline.config.base import FiniteFloat, Settings, setting

__all__ = ["EMSettings", "FitSettings", "MomentSettings", "PrefilterSettings", "StartSettings", "lags_of"]


def lags_of(n_states: int, lags: int | None = None) -> int:
    """Length of impulse responses, with lag 0: as many as are given, or 2 n + 2, one more than Ho and Kalman need."""
    return lags or 2 * n_states + 2


class PrefilterSettings(Settings):
    """One scalar filter over inputs and outputs that makes the inputs white: moments need white ones."""

    whiten: Literal["auto", "on", "off"] = setting(
        "auto",
        description="auto: filter where the inputs are found to be correlated over time. The responses stay what they "
        "are, because a scalar filter commutes with a linear system. EM sees the unfiltered trajectories.",
    )
    most_lags: int = setting(4, description="Largest order of the filter; the order is chosen by BIC.", ge=1, le=50)


class MomentSettings(Settings):
    """Second and third moments of impulse responses."""

    estimator: Literal["ustat", "stein"] = setting(
        "ustat",
        description="ustat: over windows that do not overlap, any numbers of inputs and outputs. stein: the published "
        "form, one output, Gaussian inputs; its error is several times larger.",
    )
    lags: int | None = setting(
        None,
        description="How many steps of the responses, with lag 0. null: 2 n + 2 for n states. The U-statistic needs "
        "trajectories of three times as many steps.",
        ge=3,
        le=200,
    )
    stein_every_lags: bool = setting(
        False, description="stein: take every lags-th sample, as published, and not every one."
    )
    stein_halves: bool = setting(
        False, description="stein: the second moment from one half of the trajectories, the third from the other, as "
        "published; else both from all.",
    )  # fmt: skip


class StartSettings(Settings):
    """Where EM starts."""

    method: Literal["tensor", "fir_kmeans", "short_runs", "random"] = setting(
        "tensor",
        description="tensor: moments, taken apart. fir_kmeans: responses estimated trajectory by trajectory, and "
        "clustered, for inputs that moments cannot be had of. short_runs: these clusters and random mixtures climb a "
        "few steps of EM, and the most likely goes on. random: what the others are compared with.",
    )
    fall_back: bool = setting(
        True,
        description="Start with short_runs, and say so, where moments cannot be had: inputs that are the same in every "
        "trial or of too low rank, or that no filter makes white, trajectories that are too short, gaps at every step.",
    )
    decomposition: Literal["smd", "rtpm"] = setting(
        "smd", description="smd: simultaneous matrix diagonalisation; rtpm: robust tensor power method."
    )
    regress_anew: bool = setting(
        True,
        description="tensor: give each trajectory to the response that suits it, regress the outputs of each group on "
        "the inputs, and so on until none moves; systems are made of these regressions, whose error is a tenth. false: "
        "as published, systems are made of the moments' responses.",
    )
    noise: Literal["residuals", "residuals_inflated", "residual_covariance", "fixed"] = setting(
        "residuals",
        description="First Q and R. residuals: from the autocovariances of what the first systems leave; "
        "residuals_inflated: the same with a larger Q, for starts that are not regressed anew, from which EM crawls "
        "otherwise; residual_covariance: half of the covariance each; fixed: Q = 0.1, R = 0.1 of the outputs' "
        "variance.",
    )
    random_starts: int = setting(6, description="short_runs: random mixtures beside the clusters.", ge=0, le=1000)
    short_run_steps: int = setting(20, description="short_runs: steps of EM that each takes.", ge=1, le=1000)


class EMSettings(Settings):
    """Expectation maximisation."""

    most_iterations: int = setting(200, description="EM ends after these at the latest.", ge=0, le=1_000_000)
    tolerance: FiniteFloat = setting(
        1e-6,
        description="EM ends when an iteration gains less than this, in nats for each number in the outputs.",
        ge=0,
        le=1,
    )
    acceleration: Literal["anderson", "none"] = setting(
        "anderson",
        description="anderson: the next mixture is extrapolated from the last few, and taken back if it is less "
        "likely; far fewer iterations. none: EM alone.",
    )
    engine: Literal["auto", "numba", "torch", "numpy"] = setting(
        "auto",
        description="What computes: numba on processors, torch on a GPU, numpy as the reference. auto: torch if there "
        "is a GPU, else numba. All agree to 1e-9.",
    )
    precision: Literal["float64", "float32"] = setting(
        "float64",
        description="float32: numba and torch compute means of states, and sums over them, in single precision; "
        "covariances, likelihoods' sums and trajectories with missing outputs stay double. Log-likelihoods are "
        "within 2e-7 nat per number of float64's, noise down to a millionth of the signal; faster on large problems.",
    )
    scan: Literal["sequential", "associative"] = setting(
        "sequential",
        description="How torch goes through time. associative: in log T rounds, for a few trajectories of some 2000 "
        "steps and more.",
    )
    feedthrough: bool = setting(True, description="Whether inputs reach the outputs of the same step (D); else D = 0.")
    diagonal_observation_noise: bool = setting(False, description="Whether R has no covariances.")
    shared_outputs: bool = setting(False, description="Whether all components have one C.")
    checkpoint_minutes: FiniteFloat = setting(
        5.0,
        unit="min",
        description="How often the state of a fit is kept, so that a fit that was killed goes on from there; 0: after "
        "every iteration. Changes no result.",
        ge=0,
        le=100_000,
    )

    @model_validator(mode="after")
    def _the_engine_has_a_choice(self) -> EMSettings:
        if self.precision == "float32" and self.engine == "numpy":
            raise ValueError("precision: float32 is not numpy's, the reference: take engine auto, numba or torch")
        if self.scan == "associative" and self.engine in ("numba", "numpy"):
            raise ValueError(f"scan: associative is torch's alone, and engine is {self.engine}: take auto or torch")
        return self


class FitSettings(Settings):
    """One fit."""

    prefilter: PrefilterSettings = setting(PrefilterSettings(), description="Inputs are made white for the moments.")
    moments: MomentSettings = setting(MomentSettings(), description="What the tensor stage is made of.")
    start: StartSettings = setting(StartSettings(), description="Where EM starts.")
    em: EMSettings = setting(EMSettings(), description="The climb to the likelihood's maximum.")

    @model_validator(mode="after")
    def _published_choices_need_stein(self) -> FitSettings:
        if self.moments.estimator == "ustat" and (self.moments.stein_every_lags or self.moments.stein_halves):
            raise ValueError("moments.stein_every_lags and stein_halves need moments.estimator: stein")
        return self
