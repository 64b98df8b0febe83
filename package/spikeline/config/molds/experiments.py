"""Settings of MoLDS' simulated experiments: which mixtures, how many trajectories, which methods."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from pydantic import model_validator

from spikeline.config.base import FiniteFloat, Settings, setting
from spikeline.config.molds.fit import FitSettings, lags_of
from spikeline.config.molds.mixtures import MixtureSettings

__all__ = ["EM_METHODS", "ExperimentSettings"]

EM_METHODS = {"tensor_em": "tensor", "truth_em": "truth", "random": "random", "random_best": "random"}
"""Methods that end with EM, and where it starts."""

# Keys of `fit` that the experiment decides otherwise: by its lists, or because the inputs of the generator are white.
_DECIDED = {
    "prefilter": "inputs are white",
    "moments.estimator": "estimators says which",
    "moments.stein_every_lags": "estimators says which (stein_published)",
    "moments.stein_halves": "estimators says which (stein_published)",
    "start.method": "methods says which",
    "start.fall_back": "a method that fails is scored as failed",
    "start.random_starts": "no method has short runs",
    "start.short_run_steps": "no method has short runs",
    "start.decomposition": "decompositions says which",
    "em.feedthrough": "mixture says whether there is one",
}


class ExperimentSettings(Settings):
    """One experiment: every combination of the lists below is a cell, and each cell is repeated with other seeds."""

    figure: Literal["molds_smd_rtpm", "molds_complex", "molds_sample_size"] = setting(
        description="Picture it is drawn on: molds_smd_rtpm (two decompositions over numbers of trajectories and "
        "steps), molds_complex (methods beside each other), molds_sample_size (error against the number of "
        "trajectories).",
        example="molds_smd_rtpm",
    )
    mixture: MixtureSettings = setting(MixtureSettings(), description="What the trajectories are drawn from.")
    trajectories: list[int] = setting(description="Numbers of trajectories (N).", example=[1000], min_length=1)
    steps: list[int] = setting(description="Their lengths in steps (T).", example=[240], min_length=1)
    n_components: list[int] = setting([], description="Numbers of components (K), if several. Empty: the mixture's.")
    n_states: list[int] = setting([], description="Numbers of states (n), if several. Empty: the mixture's.")
    process_noise: list[FiniteFloat] = setting([], description="Variances of Q, if several. Empty: the mixture's.")
    observation_noise: list[FiniteFloat] = setting([], description="Variances of R, if several. Empty: the mixture's.")
    seeds: int = setting(
        8,
        description="Repetitions with other systems and trajectories. More are added without making those that are "
        "there again.",
        ge=1,
        le=10_000,
    )
    estimators: list[Literal["ustat", "stein", "stein_published"]] = setting(
        ["ustat"],
        description="Estimators of the moments; the first is the one EM starts with. stein: Stein's identity on all "
        "samples; stein_published: on every lags-th sample, and the third moment from other trajectories.",
    )
    decompositions: list[Literal["smd", "rtpm"]] = setting(
        ["smd"], description="Decompositions of the third moment; the first is the one EM starts with."
    )
    methods: list[Literal["tensor", "tensor_em", "truth_em", "random", "random_best", "trajectory_ols"]] = setting(
        ["tensor"],
        description="tensor: moments alone. tensor_em: EM from there, after the responses are regressed anew unless "
        "fit says otherwise. truth_em: EM from the true mixture. random: EM from one random mixture; random_best: the "
        "most likely of several. trajectory_ols: least squares, each trajectory by itself.",
        min_length=1,
    )
    random_starts: int = setting(5, description="Random mixtures that random_best has to choose from.", ge=1, le=1000)
    held_out: int = setting(
        100, description="Further trajectories, of which the likelihood under the found mixture is told.", ge=1
    )
    fit: FitSettings = setting(
        FitSettings(),
        description="How mixtures are fitted: moments.lags, start.regress_anew, start.noise and em act; the lists "
        "above decide the rest.",
    )
    trajectories_per_piece: int | None = setting(
        None,
        description="Moments are summed by jobs of so many trajectories each, so that a piece fits in memory; null: "
        "one job for all.",
        ge=1,
    )
    tasks_per_job: int = setting(
        100,
        description="Cells and seeds that one job handles, one after the other. Results do not depend on it.",
        ge=1,
    )

    @model_validator(mode="after")
    def _lists_hold_possible_values(self) -> ExperimentSettings:
        problems = list(self._problems())
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def _problems(self) -> Iterator[str]:
        for name in ("trajectories", "steps", "n_components", "n_states", "process_noise", "observation_noise"):
            values: Sequence[float] = getattr(self, name)
            if min(values, default=1) <= 0 or len(set(values)) < len(values):
                yield f"{name} = {values}: numbers above 0, each once"
        for name in ("estimators", "decompositions", "methods"):
            chosen = getattr(self, name)
            if len(set(chosen)) < len(chosen):
                yield f"{name} = {chosen}: each once"
        if self.uses_moments and not (self.estimators and self.decompositions):
            yield "methods tensor and tensor_em need one of estimators and one of decompositions"
        stein = [name for name in self.estimators if name != "ustat"]
        if self.uses_moments and stein and self.mixture.size("n_outputs") != 1:
            yield f"estimators {', '.join(stein)} need one output, and mixture has {self.mixture.size('n_outputs')}"
        if self.mixture.weights is not None and self.n_components:
            yield "mixture.weights are of one number of components, and n_components lists several: leave one out"
        default = FitSettings().plain()
        for key, why in _DECIDED.items():
            if _at(self.fit.plain(), key) != _at(default, key):
                yield f"fit.{key} has no effect here ({why}): leave it out"
        yield from self._problems_of_lags()

    def _problems_of_lags(self) -> Iterator[str]:
        if not self.uses_moments:
            return
        for n_states in self.n_states or [self.mixture.size("n_states")]:
            lags = self.lags_of(n_states)
            if lags < 2 * n_states + 1:
                yield f"fit.moments.lags = {lags}: {n_states} states need at least {2 * n_states + 1}"
            first = 0 if self.mixture.size("feedthrough") else 1  # without D lag 0 is none of the window's
            needed = (3 if "ustat" in self.estimators else 1) * (lags - first) + first
            if short := [steps for steps in self.steps if steps < needed]:
                yield (
                    f"steps has {short}: moments of {lags} lags ({n_states} states) need at least {needed} steps; "
                    "take longer trajectories, or fewer fit.moments.lags"
                )

    @property
    def uses_moments(self) -> bool:
        """Whether any method needs the tensor stage."""
        return bool({"tensor", "tensor_em"} & set(self.methods))

    @property
    def em_starts(self) -> list[str]:
        """Where EM starts: of ``tensor``, ``truth`` and ``random``; empty if no method has EM."""
        return list(dict.fromkeys(EM_METHODS[method] for method in self.methods if method in EM_METHODS))

    def lags_of(self, n_states: int) -> int:
        """Length of impulse responses, with lag 0."""
        return lags_of(n_states, self.fit.moments.lags)


def _at(values: Any, key: str) -> Any:
    for part in key.split("."):
        values = values[part]
    return values
