"""A sorting as one HDF5 artefact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

import numpy as np

from spikeline.artifacts import Provenance, open_hdf5, write_hdf5
from spikeline.errors import DataError, FormatError

if TYPE_CHECKING:
    import spikeinterface as si

__all__ = ["SORTING_SCHEMA", "make_sorting", "properties_of", "read_sorting", "spikes_of", "write_sorting"]

SORTING_SCHEMA = "sorting"
_PROPERTIES = "unit_properties"


def make_sorting(
    spike_samples: np.ndarray,
    unit_index: np.ndarray,
    unit_ids: Sequence[str],
    sampling_rate_hz: float,
    note: str = "",
    properties: Mapping[str, np.ndarray] | None = None,
) -> si.NumpySorting:
    """A SpikeInterface sorting from (n_spikes,) sample numbers and indices into ``unit_ids``, in any order.

    ``properties``: name -> (n_units,) values, as `properties_of` gives them.
    """
    import spikeinterface as si
    from spikeinterface.core.base import minimum_spike_dtype

    order = np.lexsort((unit_index, spike_samples))
    spikes = np.zeros(len(order), dtype=minimum_spike_dtype)
    spikes["sample_index"], spikes["unit_index"] = np.asarray(spike_samples)[order], np.asarray(unit_index)[order]
    sorting = si.NumpySorting(spikes, sampling_rate_hz, np.array(list(unit_ids), dtype=str))
    sorting.annotate(note=note)
    for name, values in (properties or {}).items():
        sorting.set_property(name, values)
    return sorting


def properties_of(sorting: si.BaseSorting) -> dict[str, np.ndarray]:
    """What a sorter says of each unit: name -> (n_units,) numbers or texts. Python objects and tables are left out."""
    found = {name: np.asarray(sorting.get_property(name)) for name in sorting.get_property_keys()}
    return {name: values for name, values in found.items() if values.ndim == 1 and values.dtype.kind in "biufU"}


def spikes_of(sorting: si.BaseSorting) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Sample number and unit index of every spike, in time order, and the unit ids as text.

    Returns
    -------
    spike_samples
        (n_spikes,) int64.
    unit_index
        (n_spikes,) int64.
    unit_ids
        One per unit.

    Raises
    ------
    DataError
        If the sorting has more than one segment.
    """
    if sorting.get_num_segments() != 1:
        raise DataError(
            f"the sorting has {sorting.get_num_segments()} segments", "one segment", "score each segment on its own"
        )
    spikes = sorting.to_spike_vector()
    samples, index = spikes["sample_index"].astype(np.int64), spikes["unit_index"].astype(np.int64)
    order = np.lexsort((index, samples))
    return samples[order], index[order], [str(unit) for unit in sorting.unit_ids]


def write_sorting(path: str | Path, sorting: si.BaseSorting, provenance: Provenance | None = None) -> None:
    """Write a sorting: ``spike_samples``, ``unit_index``, ``unit_ids``, the sampling rate and the note.

    What `properties_of` gives stands below ``unit_properties``, under names as in an URL (`urllib.parse.quote`).
    """
    samples, index, unit_ids = spikes_of(sorting)
    properties = {f"{_PROPERTIES}/{quote(name, safe='')}": values for name, values in properties_of(sorting).items()}
    write_hdf5(
        path,
        SORTING_SCHEMA,
        {
            "spike_samples": samples,
            "unit_index": index.astype(np.int32),
            "unit_ids": np.array(unit_ids, dtype=str),
            **dict(sorted(properties.items())),
        },
        units={"spike_samples": "samples"},
        attributes={
            "sampling_rate_hz": float(sorting.get_sampling_frequency()),
            "note": str(sorting.get_annotation("note") or ""),
        },
        provenance=provenance,
    )


def read_sorting(path: str | Path) -> si.NumpySorting:
    """Read a sorting written by `write_sorting`, with its unit properties; its ``note`` is an annotation.

    Raises
    ------
    FormatError
        If the file is missing, truncated, of another schema, or its arrays do not fit each other.
    """
    with open_hdf5(path, SORTING_SCHEMA) as file:
        samples, index = file["spike_samples"][:], file["unit_index"][:].astype(np.int64)
        unit_ids = [str(unit) for unit in file["unit_ids"].asstr()[:]]
        rate, note = float(file.attrs["sampling_rate_hz"]), str(file.attrs["note"])
        properties = {
            unquote(name): np.array(stored.asstr()[:], dtype=str) if stored.dtype.kind == "O" else stored[:]
            for name, stored in file.get(_PROPERTIES, {}).items()
        }
    if samples.shape != index.shape or (len(index) and not 0 <= index.min() <= index.max() < len(unit_ids)):
        raise FormatError(
            f"{path} has {len(samples)} spikes, {len(index)} unit indices and {len(unit_ids)} units",
            "one index below the number of units for each spike",
            f"delete {path} and run its rule again",
        )
    if wrong := [name for name, values in properties.items() if values.shape != (len(unit_ids),)]:
        raise FormatError(
            f"{path} has {len(unit_ids)} units, and other numbers of values of {', '.join(wrong)}",
            "one value for each unit",
            f"delete {path} and run its rule again",
        )
    return make_sorting(samples, index, unit_ids, rate, note, properties)
