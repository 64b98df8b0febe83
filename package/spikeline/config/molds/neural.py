"""Settings of MoLDS on neural recordings: which sessions, how trials become trajectories, which fits are compared."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import ValidationError, model_validator

from spikeline.config.base import FiniteFloat, Range, Settings, setting
from spikeline.config.merging import merged
from spikeline.config.molds.fit import FitSettings

__all__ = ["NeuralSessionSettings", "NeuralSettings", "SwitchingSettings"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_FEWEST_FOLDS = 3  # one to test on, one to choose by, one or more to fit to


class NeuralSessionSettings(Settings):
    """One recording day, and how its trials become trajectories."""

    dataset: str | None = setting(
        None,
        description="Name in datasets.yaml, below data_root. null: a simulated day that resembles recordings of area 2 "
        "(spikes of 65 units, 8 directions, three systems); its figures say SIMULATED.",
    )
    only: dict[str, FiniteFloat] = setting(
        {},
        description="Trials that are used: column -> value, e.g. {passive: 0} for reaches without bumps. Empty: all "
        "that have a direction and the time of align.",
    )
    align: str | None = setting(
        "go",
        description="Column of trials, a time, that window_ms is around. null: from start to stop of each trial, the "
        "only way for data sets that exist as counts.",
    )
    window_ms: Range = setting(
        (-100.0, 500.0), unit="ms", description="Around the time of align: the window of the Neural Latents Benchmark."
    )
    bin_ms: FiniteFloat = setting(
        20.0,
        unit="ms",
        description="Width of bins. Data sets that exist as counts have one of their own, and take multiples of it.",
        gt=0,
        le=1000,
    )
    smoothing_ms: FiniteFloat = setting(
        0.0,
        unit="ms",
        description="Standard deviation of a causal Gaussian over counts; 0: none, the default, because smoothing "
        "colours the noise that the likelihood takes for white.",
        ge=0,
        le=1000,
    )
    principal_components: int = setting(
        6,
        description="Outputs: principal components of all units. As published, 6 for area 2, 16 for PMd.",
        ge=1,
        le=200,
    )
    input: Literal["hand_velocity", "force", "target_direction"] = setting(
        "hand_velocity",
        description="What drives the systems; the publication's choice is not known to us. target_direction: cosine "
        "and sine, from the time of align, or when the target comes on, or the trial's first bin.",
    )
    delays_ms: list[FiniteFloat] = setting(
        [-100.0, -60.0, -40.0, -20.0, 0.0, 20.0, 40.0, 60.0, 100.0],
        unit="ms",
        description="By how much activity may come after the input (before it where negative); one is chosen by the "
        "likelihood of the validation trials. Rounded to bins.",
        min_length=1,
    )
    delay_components: int = setting(
        3,
        description="Components of the mixture that delays are compared with. A single system makes up for directions "
        "that differ by a wrong delay (measured on the simulated day: -20 ms, where 40 ms are true).",
        ge=1,
    )
    delay_states: int = setting(2, description="States of the mixture that delays are compared with.", ge=1)
    components: list[int] = setting(
        [1, 2, 3, 4, 5, 6, 7, 8], description="Numbers of components (K) to choose from.", min_length=1
    )
    states: list[int] = setting([1, 2, 3, 4], description="Numbers of states (n) to choose from.", min_length=1)
    horizons: list[int] = setting(
        [1, 2, 5, 10], description="Bins ahead that held-out trials are predicted; the first bins of a trial, of which "
        "the farthest cannot be had, are not scored.", min_length=1,
    )  # fmt: skip
    fit: dict[str, Any] = setting(
        {}, description="What differs from molds.neural.fit for this session, e.g. {start: {noise: fixed}}."
    )
    fewest_bins: int = setting(12, description="Trials with fewer bins are left out.", ge=2)

    @model_validator(mode="after")
    def _numbers_make_sense(self) -> NeuralSessionSettings:
        for name in ("components", "states", "horizons"):
            if min(getattr(self, name)) < 1:
                raise ValueError(f"{name} holds {min(getattr(self, name))}: 1 and more")
        if max(self.horizons) >= self.fewest_bins:
            raise ValueError(
                f"horizons reach {max(self.horizons)} bins, and trials of fewest_bins = {self.fewest_bins} have "
                "nothing to predict there: lower the one or raise the other"
            )
        return self


class SwitchingSettings(Settings):
    """The switching linear system that is compared with: it may change within a trial."""

    iterations: int = setting(
        30, description="Of approximate EM, whose likelihood may fall: the best iteration is kept.", ge=1, le=10_000
    )
    stay: FiniteFloat = setting(
        0.95, description="Probability that a system stays from bin to bin, to start with.", gt=0, lt=1
    )


class NeuralSettings(Settings):
    """MoLDS on neural recordings."""

    sessions: dict[str, NeuralSessionSettings] = setting(
        {},
        description="Recording days by name. Those of data sets are left out without data_root, or without the file.",
    )
    square_root: bool = setting(True, description="Square roots of counts, which makes their variance alike.")
    folds: int = setting(
        5,
        description="Trials are dealt into so many parts, every direction alike: one to test, one to choose models by, "
        "the others to fit to.",
        ge=_FEWEST_FOLDS,
        le=100,
    )
    test_fold: int = setting(0, description="Which part is tested on; the one after it is chosen by.", ge=0)
    sectors: int = setting(
        8, description="Directions are grouped into so many sectors where they are counted.", ge=2, le=360
    )
    criterion: Literal["bic", "validation_bic", "validation_likelihood"] = setting(
        "bic",
        description="What chooses K and n. bic: on the trials fitted to, by their number; validation_bic: on the "
        "validation trials, as published; validation_likelihood: of the validation trials, without a price for size.",
    )
    fits_per_job: int = setting(8, description="Combinations of K and n that one job fits.", ge=1)
    fit: FitSettings = setting(FitSettings(), description="How mixtures are fitted.")
    random_starts: int = setting(
        5, description="Starts of the random EM that is compared with; the first and the most likely are shown.", ge=1,
        le=1000,
    )  # fmt: skip
    switching: SwitchingSettings = setting(SwitchingSettings(), description="The switching linear system.")
    subsets: int = setting(20, description="Fits to random parts of the training trials: is the grouping stable?", ge=2)
    subset_share: FiniteFloat = setting(0.8, description="How much of the training trials a part has.", gt=0, lt=1)
    shuffles: int = setting(
        1000, description="Shuffled labels that the information about directions is compared with.", ge=10
    )

    @model_validator(mode="after")
    def _parts_of_the_whole(self) -> NeuralSettings:
        if self.test_fold >= self.folds:
            raise ValueError(f"test_fold is {self.test_fold}, and folds are counted from 0 to {self.folds - 1}")
        for name in self.sessions:
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name!r} becomes part of a path: use letters, digits, '_' and '-'")
        return self

    @model_validator(mode="after")
    def _fits_can_be_made(self) -> NeuralSettings:
        for name in self.sessions:
            try:
                self.shared_with(name)
            except ValidationError as error:
                raise ValueError(f"sessions.{name}.fit: {error.errors(include_url=False)[0]['msg']}") from None
        return self

    def shared_with(self, session: str) -> NeuralSettings:
        """What all sessions have in common, with ``fit`` as this session has it: what its jobs read beside its own."""
        fit = FitSettings.parse(merged(self.fit.plain(), self.sessions[session].fit))
        return self.model_copy(update={"sessions": {}, "fit": fit})
