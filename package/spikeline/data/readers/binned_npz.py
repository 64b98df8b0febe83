"""``binned_session_npz``: centre-out reaches as counts per bin, with the movement of the hand.

Arrays: ``rates_hz`` (bins, units), ``bin_s``, ``trial_ptr`` (trials + 1), ``bin_index`` (bin within its trial, before
slow bins were left out), ``reach_label`` (bins, 0 to 7), and of (bins, 2) ``velocity`` and, where the source has them,
``position``, ``acceleration`` and ``force``. An array that is zero throughout stands for one that the source lacks. The
source states no units of behaviour.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from spikeline.data.binned_session import BinnedSession
from spikeline.data.dataset_table import DatasetEntry
from spikeline.data.readers.plain_arrays import as_integers, as_numbers, read_plain_npz
from spikeline.errors import DataError, FormatError

__all__ = ["read_binned_npz"]

_BEHAVIOUR = {
    "velocity": "hand_velocity",
    "position": "hand_position",
    "acceleration": "hand_acceleration",
    "force": "force",
}
_STEP_DEG, _FIRST_DEG = 45.0, 90.0  # direction = 90 degrees - 45 degrees x label
_ROUNDING = 1e-3


def read_binned_npz(path: Path, entry: DatasetEntry) -> BinnedSession:
    """Counts, behaviour, and per trial ``direction_deg`` and ``target`` (the label).

    Raises
    ------
    FormatError
        If an array is missing or does not fit, rates are no whole counts, or the label changes within a trial.
    """
    names = ("rates_hz", "bin_s", "trial_ptr", "bin_index", "reach_label", *_BEHAVIOUR)
    arrays = read_plain_npz(path, names)
    bin_s = round(float(as_numbers(np.atleast_1d(arrays["bin_s"]), f"bin_s of {path}")[0]), 6)
    counts = as_numbers(arrays["rates_hz"], f"rates_hz of {path}", dimensions=2) * bin_s
    if np.abs(counts - np.round(counts)).max(initial=0.0) > _ROUNDING:
        raise FormatError(
            f"rates_hz of {path} times {bin_s:g} s are no whole counts", "count / bin_s", "check which file this is"
        )
    pointers = as_integers(arrays["trial_ptr"], f"trial_ptr of {path}")
    labels = as_integers(arrays["reach_label"], f"reach_label of {path}")
    behaviour = {
        own: as_numbers(arrays[name], f"{name} of {path}", dimensions=2).astype(np.float64)
        for name, own in _BEHAVIOUR.items()
        if arrays[name].any()
    }
    try:
        session = BinnedSession(
            counts=np.round(counts).astype(np.int64),
            bin_s=bin_s,
            trial_pointers=pointers,
            steps=as_integers(arrays["bin_index"], f"bin_index of {path}"),
            behaviour=behaviour,
            behaviour_units=dict.fromkeys(behaviour, ""),
            units={"unit_id": np.arange(counts.shape[1])},
        )
    except DataError as error:
        raise FormatError(
            f"{path}: {error.seen}", error.expected, "check which file this is, or fetch it again"
        ) from error
    if labels.shape != (len(counts),) or (labels != np.repeat(labels[pointers[:-1]], session.lengths)).any():
        raise FormatError(
            f"reach_label of {path} changes within a trial, or is not one per bin",
            "one label for all bins of a trial",
            "check which file this is",
        )
    target = labels[pointers[:-1]]
    return session.with_trials({"direction_deg": (_FIRST_DEG - _STEP_DEG * target) % 360.0, "target": target})
