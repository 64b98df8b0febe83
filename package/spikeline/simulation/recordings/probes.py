"""Electrodes as probeinterface probes, and where their contacts lie in the tissue.

Tissue axes are those of the morphology files: y points to the pia. A probe's own plane (x, y) is laid into the
tissue's x-y plane (a shank runs along the depth), except the tetrode's, whose wires run along the depth and whose
tips lie in the x-z plane.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import probeinterface
from jaxtyping import Float, Float64

from spikeline.config.recordings import ProbeSettings
from spikeline.errors import ConfigError, DataError, FormatError

__all__ = ["contact_positions", "in_probe_frame", "make_probe", "read_probe"]

_PLANE = "tissue_plane"


def _grid32_positions(pitch: float) -> np.ndarray:
    rows = np.repeat(np.arange(16), 2)
    columns = np.tile([0, 1], 16)
    return np.stack([columns * pitch, rows * pitch + columns * pitch / 2], axis=1)


def _neuropixels_positions(count: int) -> np.ndarray:
    """Neuropixels 1.0: rows 20 um apart, two contacts per row, x = 43, 11, 59, 27 um in turn."""
    channel = np.arange(count)
    return np.stack([np.array([43.0, 11.0, 59.0, 27.0])[channel % 4] - 35.0, 20.0 * (channel // 2)], axis=1)


def make_probe(settings: ProbeSettings) -> probeinterface.Probe:
    """The probe that the settings describe, its contacts wired to channels 0, 1, 2, ...

    Raises
    ------
    ConfigError
        If a channel number is given for a probe of fixed size.
    DataError, FormatError
        If a probe file is missing, is not probeinterface JSON, or has no contacts.
    """
    kind, pitch = settings.kind, settings.pitch_um
    if settings.channels is not None and kind not in ("neuropixels", "linear"):
        raise ConfigError(
            f"probe.channels: {settings.channels} with probe.kind {kind}",
            "channels only with kind neuropixels or linear",
            "leave probe.channels out: this probe has a fixed number of contacts",
        )
    if kind == "file":
        return read_probe(settings.file)
    contact = {"shapes": "circle", "shape_params": {"radius": 3.25}}
    if kind == "tetrode":
        positions = pitch / 2 * np.array([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])
    elif kind == "grid32":
        positions, contact = _grid32_positions(pitch), {"shapes": "circle", "shape_params": {"radius": 5.0}}
    elif kind == "neuropixels":
        positions = _neuropixels_positions(settings.n_channels())
        contact = {"shapes": "square", "shape_params": {"width": 12.0}}
    else:
        count = settings.n_channels()
        positions = np.stack([np.zeros(count), pitch * np.arange(count)], axis=1)
    probe = probeinterface.Probe(ndim=2, si_units="um", name=kind)
    probe.set_contacts(positions=positions, contact_ids=[str(i) for i in range(len(positions))], **contact)
    probe.set_device_channel_indices(np.arange(len(positions)))
    probe.annotate(**{_PLANE: "xz" if kind == "tetrode" else "xy"})
    return probe


def read_probe(path: str | Path) -> probeinterface.Probe:
    """The single probe of a probeinterface JSON file, checked, its contacts ordered by channel.

    Raises
    ------
    DataError
        If the file is missing, or holds more than one probe or no contacts, or contacts share an id or a channel.
    FormatError
        If the file is not probeinterface JSON.
    """
    path = Path(path)
    remedy = "write the probe with probeinterface.write_probeinterface and give that file as probe.file"
    if not path.is_file():
        raise DataError(f"the probe file {path} does not exist", "a probeinterface JSON file", "check probe.file")
    try:
        document = json.loads(path.read_text())
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise FormatError(
            f"the probe file {path} is not JSON ({error})", "a probeinterface JSON file", remedy
        ) from error
    if (
        not isinstance(document, dict)
        or document.get("specification") != "probeinterface"
        or not isinstance(document.get("probes"), list)
    ):
        raise FormatError(
            f"the JSON file {path} does not say it is probeinterface",
            'the entry "specification": "probeinterface"',
            remedy,
        )
    if len(document["probes"]) != 1:
        raise DataError(
            f"{path} holds {len(document['probes'])} probes", "one probe", "split the file, one recording per probe"
        )
    positions = document["probes"][0].get("contact_positions")
    if not positions:
        raise DataError(
            f"the probe in {path} has no contacts", "at least one contact", "add contact_positions to the file"
        )
    try:
        probe = probeinterface.read_probeinterface(path).probes[0]
    except Exception as error:  # probeinterface has no error type of its own
        raise FormatError(
            f"probeinterface cannot read {path} ({error})", "a valid probeinterface file", remedy
        ) from error
    return _checked(probe, str(path))


def _in_um(probe: probeinterface.Probe) -> probeinterface.Probe:
    """The probe with all lengths in um: sorters read positions as um and never look at the unit."""
    factor = {"um": 1.0, "mm": 1e3, "m": 1e6}[probe.si_units]
    if factor == 1.0:
        return probe
    values = probe.to_dict(array_as_list=True)
    values["si_units"] = "um"
    for name in ("contact_positions", "probe_planar_contour"):
        if values.get(name) is not None:
            values[name] = (factor * np.asarray(values[name])).tolist()
    values["contact_shape_params"] = [
        {name: factor * length for name, length in shape.items()} for shape in values["contact_shape_params"]
    ]
    return probeinterface.Probe.from_dict(values)


def _checked(probe: probeinterface.Probe, source: str) -> probeinterface.Probe:
    count = probe.get_contact_count()
    if not np.isfinite(probe.contact_positions).all():
        raise DataError(
            f"{source} has contacts without a finite position", "finite positions", "correct contact_positions"
        )
    if probe.si_units not in ("um", "mm", "m"):
        raise DataError(f"{source} gives positions in {probe.si_units!r}", "um, mm or m", "correct si_units")
    probe = _in_um(probe)
    wiring = probe.device_channel_indices
    if wiring is None:
        probe.set_device_channel_indices(np.arange(count))
    else:
        wiring = np.asarray(wiring)
        used = wiring[wiring >= 0]
        if len(np.unique(used)) != len(used):
            raise DataError(
                f"{source} wires two contacts to one channel",
                "one channel per contact",
                "correct device_channel_indices",
            )
        if len(used) == 0:
            raise DataError(
                f"{source} wires no contact to a channel",
                "at least one wired contact",
                "correct device_channel_indices",
            )
        order = np.flatnonzero(wiring >= 0)[np.argsort(used)]
        if not np.array_equal(order, np.arange(count)):
            probe = probe.get_slice(order)
        probe.set_device_channel_indices(np.arange(len(order)))
    ids = probe.contact_ids
    if ids is None or all(str(i) == "" for i in ids):
        probe.set_contact_ids([str(i) for i in range(probe.get_contact_count())])
    elif len(set(map(str, ids))) != len(ids):
        raise DataError(f"{source} gives two contacts the same id", "one id per contact", "correct contact_ids")
    return probe


def contact_positions(probe: probeinterface.Probe) -> Float64[np.ndarray, "channels 3"]:
    """Where the contacts lie in the tissue, in um, one row per channel.

    Raises
    ------
    DataError
        If the probe has no contacts.
    """
    if probe.get_contact_count() == 0:
        raise DataError("a probe without contacts", "at least one contact", "add contacts to the probe")
    positions = np.asarray(probe.contact_positions, dtype=np.float64) * {"um": 1.0, "mm": 1e3, "m": 1e6}[probe.si_units]
    if positions.shape[1] == 3:
        return positions
    out = np.zeros((len(positions), 3))
    plane = probe.annotations.get(_PLANE, "xy")
    out[:, ["xyz".index(axis) for axis in plane]] = positions
    return out


def in_probe_frame(
    positions_um: Float[np.ndarray, "places 3"], probe: probeinterface.Probe
) -> Float[np.ndarray, "places 3"]:
    """Tissue positions as SpikeInterface gives unit locations: x and y in the probe's plane, z away from it."""
    plane = probe.annotations.get(_PLANE, "xy")
    away = next(axis for axis in "xyz" if axis not in plane)
    return np.asarray(positions_um)[:, ["xyz".index(axis) for axis in (*plane, away)]]
