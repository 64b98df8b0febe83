"""What a low-rank form of the currents loses in the potential, tetrode by tetrode."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

import numpy as np
from jaxtyping import Float, Float64, Shaped

__all__ = ["FieldError", "field_error", "per_tetrode"]


def per_tetrode(of_contacts: Float[np.ndarray, "contacts ..."]) -> Float[np.ndarray, "tetrodes ..."]:
    """Sums over the four contacts of each tetrode, which follow each other."""
    return of_contacts.reshape(-1, 4, *of_contacts.shape[1:]).sum(axis=1)


def _nothing() -> np.ndarray:
    return np.zeros(1)


@dataclass(frozen=True, eq=False)
class FieldError:
    """What a low-rank form loses over a stretch of time.

    Parameters
    ----------
    max_error_uv
        Largest absolute error of the potential over contacts and samples.
    error_energy
        (tetrodes,) sum of its squares over the contacts of each tetrode and all samples, uV^2; one zero: no error.
    signal_energy
        (tetrodes,) sum of squares of the potential itself, uV^2.
    residual_na
        Largest sum over segments of the absolute current error at one sample. Divided by ``4 pi sigma d`` it
        bounds the error at ANY contact at least ``d`` away from every segment, because a segment's potential there
        is at most ``|I| / (4 pi sigma d)``.
    """

    max_error_uv: float = 0.0
    error_energy: Float64[np.ndarray, " tetrodes"] = field(default_factory=_nothing)
    signal_energy: Float64[np.ndarray, " tetrodes"] = field(default_factory=_nothing)
    residual_na: float = 0.0

    @property
    def rms_percent(self) -> float:
        """Relative root-mean-square error of the worst tetrode, in percent; infinite where an error has no signal."""
        wrong = self.error_energy > 0
        with np.errstate(divide="ignore"):
            share = np.divide(self.error_energy, self.signal_energy, out=np.zeros(wrong.shape), where=wrong)
        return 100 * float(np.sqrt(share.max()))

    def joined(self, other: FieldError) -> FieldError:
        """The error over both stretches."""
        return FieldError(
            max(self.max_error_uv, other.max_error_uv),
            self.error_energy + other.error_energy,
            self.signal_energy + other.signal_energy,
            max(self.residual_na, other.residual_na),
        )

    def increased(self, other: FieldError) -> FieldError:
        """Bound of the error over the same stretch once a second error comes on top, by the triangle inequality."""
        return FieldError(
            self.max_error_uv + other.max_error_uv,
            (np.sqrt(self.error_energy) + np.sqrt(other.error_energy)) ** 2,
            self.signal_energy,
            self.residual_na + other.residual_na,
        )

    def arrays(self) -> dict[str, Shaped[np.ndarray, "*_shape"]]:
        """All of it under names of its own, to be stored; `from_arrays` reads it back."""
        return {f"error_{item.name}": np.asarray(getattr(self, item.name)) for item in fields(self)}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Shaped[np.ndarray, "*_shape"]]) -> FieldError:
        """What `arrays` gave."""
        values = {item.name: arrays[f"error_{item.name}"] for item in fields(cls)}
        return cls(**{name: value if value.ndim else float(value) for name, value in values.items()})

    @classmethod
    def array_names(cls) -> list[str]:
        """Names that `arrays` uses."""
        return [f"error_{item.name}" for item in fields(cls)]


def field_error(
    field_matrix: Float[np.ndarray, "contacts segments"],
    residual: Float[np.ndarray, "segments samples"],
    signal_energy: Float64[np.ndarray, " tetrodes"] | None = None,
) -> FieldError:
    """The error that leaving ``residual`` out makes at the contacts, by the plain formula.

    Parameters
    ----------
    field_matrix
        uV per nA; four rows to a tetrode.
    residual
        nA.
    signal_energy
        Passed through to the result; None: unknown, zeros.
    """
    potential = (field_matrix @ residual).astype(np.float64)
    energy = per_tetrode(np.einsum("ct,ct->c", potential, potential))
    return FieldError(
        float(np.abs(potential).max(initial=0)),
        energy,
        np.zeros_like(energy) if signal_energy is None else signal_energy,
        float(np.abs(residual).sum(axis=0).max(initial=0)),
    )
