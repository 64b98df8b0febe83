"""What an animal did, sampled over time: a value or several at each time, in one unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from spikeline.errors import DataError

__all__ = ["BehaviourSeries"]


@dataclass(frozen=True)
class BehaviourSeries:
    """One behavioural quantity.

    Parameters
    ----------
    times
        Seconds, rising.
    values
        At each time; NaN where it was not measured.
    unit
        Of the values, as the source states it; empty where it states none.

    Raises
    ------
    DataError
        If lengths differ, or times are not finite and rising.
    """

    times: Float[np.ndarray, " samples"]
    values: Float[np.ndarray, "samples dims"]
    unit: str = ""

    def __post_init__(self) -> None:
        if len(self.times) != len(self.values):
            raise DataError(
                f"{len(self.times)} times and {len(self.values)} values", "one value per time", "cut the longer one"
            )
        wrong = np.flatnonzero(~np.isfinite(self.times) | np.r_[False, ~(np.diff(self.times) > 0)])
        if len(wrong):
            raise DataError(
                f"time {wrong[0]} of a behaviour series is {self.times[wrong[0]]} s",
                "finite times, each after the one before",
                "sort the samples by time and drop repeated ones",
            )

    def between(self, start: float, stop: float) -> BehaviourSeries:
        """The samples of [start, stop), found by binary search; no copy."""
        first, last = np.searchsorted(self.times, (start, stop))
        return BehaviourSeries(self.times[first:last], self.values[first:last], self.unit)

    def at(self, times: Float[np.ndarray, "*shape"]) -> Float[np.ndarray, "*shape dims"]:
        """Values at any times, by straight lines between samples; NaN before the first and after the last sample."""
        flat = np.ravel(times)
        made = [np.interp(flat, self.times, column, left=np.nan, right=np.nan) for column in self.values.T]
        return np.stack(made, axis=-1).reshape(*np.shape(times), self.values.shape[1])
