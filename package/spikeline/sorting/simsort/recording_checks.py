"""Which recordings SimSort sorts, said before it begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spikeline.errors import DataError

if TYPE_CHECKING:
    import spikeinterface as si

__all__ = ["check_sortable", "with_contacts"]

# More channels are sorted in groups of neighbours, so contacts matter; these few are one group wherever they lie.
_ONE_GROUP = 4
# Where they are taken to lie: at the corners of a square as small as a tetrode.
_CORNERS_UM = np.array([[0.0, 0.0], [20.0, 0.0], [0.0, 20.0], [20.0, 20.0]])


def with_contacts(recording: si.BaseRecording) -> si.BaseRecording:
    """The recording itself; one of up to four channels without a probe with contacts where a tetrode has them.

    Parameters
    ----------
    recording
        Is not changed.
    """
    n_channels = recording.get_num_channels()
    if recording.has_probe() or not 1 <= n_channels <= _ONE_GROUP:
        return recording
    placed = recording.select_channels(recording.channel_ids)
    placed.set_dummy_probe_from_locations(_CORNERS_UM[:n_channels])
    return placed


def check_sortable(recording: si.BaseRecording) -> None:
    """Refuse a recording that SimSort cannot sort; reads all its traces.

    The unit of the traces does not matter, nor whether it is known: the noise is made the unit.

    Raises
    ------
    DataError
        As `spikeline.sorting.run.check_recording`, but that up to four channels need no probe, and that a constant
        channel is refused even if others are not.
    """
    from spikeline.sorting.run import check_recording

    check_recording(with_contacts(recording))
    if constant := _constant_channels(recording):
        names = ", ".join(map(str, constant))
        raise DataError(
            f"the traces of {'channel' if len(constant) == 1 else 'channels'} {names} are constant",
            "a signal on every channel, and noise to measure",
            f"recording.remove_channels([{', '.join(repr(getattr(c, 'item', lambda c=c: c)()) for c in constant)}])",
        )


def _constant_channels(recording: si.BaseRecording) -> list[object]:
    """Reads on only while there are channels that have not changed."""
    n_samples, step = recording.get_num_samples(), max(1, int(10 * recording.get_sampling_frequency()))
    first = recording.get_traces(start_frame=0, end_frame=1)[0]
    constant = np.ones(len(first), dtype=bool)
    for start in range(0, n_samples, step):
        traces = recording.get_traces(start_frame=start, end_frame=min(start + step, n_samples))
        constant &= (traces == first).all(axis=0)
        if not constant.any():
            break
    return list(recording.channel_ids[constant])
