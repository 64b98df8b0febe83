"""Build one cell in NEURON.

NEURON keeps all sections, the temperature and the time step in one global state, and the templates of a Blue Brain
package delete every section there is before they build theirs. So: ONE cell at a time in a process. `build_cell` takes
down the one before it, whose handles are dead from then on. While a package's templates are loaded the process's
working folder is the package's (their morphology is named relative to it), and it is put back afterwards.

Of a package only the ``begintemplate ... endtemplate`` blocks of template.hoc, biophysics.hoc and morphology.hoc are
run: no run script, no top-level statement, no synapse. A stub stands in for the synapse
template, as its name must exist.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from spikeline.config.simulation import IntegrationSettings, VariantSettings
from spikeline.errors import DataError
from spikeline.simulation.cells.cell_sources import REQUIRED_FILES, CellModel
from spikeline.simulation.cells.interpreter import neuron_interpreter
from spikeline.simulation.cells.mechanisms import load_mechanisms
from spikeline.simulation.cells.variants import VariantFactors, variant_factors
from spikeline.simulation.field.geometry import SegmentGeometry

__all__ = ["NeuronCell", "build_cell"]

_TEMPLATE_BLOCK = re.compile(
    r"^[ \t]*begintemplate[ \t]+(\w+).*?^[ \t]*endtemplate[ \t]+\1[ \t]*$", re.DOTALL | re.MULTILINE
)
_SYNAPSE_TEMPLATE = re.compile(r"new\s+(synapses_\w+)\s*\(")
_D_LAMBDA = 0.1
_WARMEST_SQUID_C = 25.0
_SQUID_DENSITY = 3.0  # times the squid's channel densities: spikes overshoot at 20 degrees C


@dataclass
class NeuronCell:
    """A cell that lives in this process's NEURON.

    Parameters
    ----------
    name
        Name of the model.
    geometry
        Segments, the soma's centre at the origin, in the order of `segments`.
    segments
        NEURON's segments.
    soma
        The middle segment of the soma: where current goes in and spikes are read.
    factors
        What was scaled.
    template
        The hoc object or sections that keep the cell alive.
    """

    name: str
    geometry: SegmentGeometry
    segments: list[Any]
    soma: Any
    factors: VariantFactors
    template: Any


def build_cell(
    model: CellModel,
    integration: IntegrationSettings,
    *,
    mechanisms: str | Path | None = None,
    variant: str = "v000",
    variants: VariantSettings | None = None,
    root_seed: int = 0,
) -> NeuronCell:
    """Build a cell variant, discretised by the lambda rule.

    Parameters
    ----------
    model
        Which model.
    integration
        Time step, temperature and segment frequency; NEURON's globals are set to them.
    mechanisms
        Folder written by `spikeline.simulation.mechanisms.compile_mechanisms`;
        may be left out for the ball-and-stick cell.
    variant, variants, root_seed
        Which variant, within which bounds, from which seed.

    Raises
    ------
    DataError
        If the package's templates cannot be run, or a channel is missing from the compiled mechanisms.
    """
    h = neuron_interpreter()
    load_mechanisms(mechanisms, model)
    _take_down(h)
    if model.folder is None and integration.temperature_c > _WARMEST_SQUID_C:
        raise DataError(
            f"cell {model.name} at {integration.temperature_c:g} degrees C",
            f"at most {_WARMEST_SQUID_C:g}: a squid's Hodgkin-Huxley channels are too quick to spike when warmer",
            "set simulation.integration.temperature_c to 20 for ball_and_stick cells",
        )
    template = _ball_and_stick(h, model.name) if model.folder is None else _package_cell(h, model)
    sections = list(template.all)
    somata = [section for section in sections if "soma" in section.name().rpartition(".")[2]]
    if not somata:
        raise DataError(f"cell model {model.name} has no section called soma", "one soma", "check its morphology file")
    h.define_shape()
    factors = variant_factors(
        root_seed, model.name, variant, variants or VariantSettings(), _maximal_conductances(h, sections)
    )
    _scale(h, sections, factors)
    h.celsius = integration.temperature_c
    h.dt = integration.dt_ms
    h.secondorder = 0
    h.CVode().active(False)
    _discretise(h, sections, integration.segment_frequency_hz)
    return NeuronCell(
        name=model.name,
        geometry=_geometry(sections, somata),
        segments=[segment for section in sections for segment in section],
        soma=somata[0](0.5),
        factors=factors,
        template=template,
    )


def _take_down(h: Any) -> None:
    for section in list(h.allsec()):
        h.delete_section(sec=section)


def _discretise(h: Any, sections: list[Any], frequency_hz: float) -> None:
    """The d_lambda rule (Hines & Carnevale 2001): an odd number of segments, each under 0.1 length constants."""
    for section in sections:
        section.nseg = int((section.L / (_D_LAMBDA * h.lambda_f(frequency_hz, sec=section)) + 0.9) / 2) * 2 + 1


def _geometry(sections: list[Any], somata: list[Any]) -> SegmentGeometry:
    starts, ends, diameters, is_soma = [], [], [], []
    for section in sections:
        count = section.n3d()
        arc = np.array([section.arc3d(i) for i in range(count)]) / section.arc3d(count - 1)
        points = np.array([[section.x3d(i), section.y3d(i), section.z3d(i)] for i in range(count)])
        edges = np.linspace(0, 1, section.nseg + 1)
        positions = np.stack([np.interp(edges, arc, points[:, axis]) for axis in range(3)], axis=1)
        starts.append(positions[:-1])
        ends.append(positions[1:])
        diameters.append([segment.diam for segment in section])
        is_soma.append(np.full(section.nseg, section in somata))
    start, end, soma = np.concatenate(starts), np.concatenate(ends), np.concatenate(is_soma)
    centre = (start[soma] + end[soma]).mean(axis=0) / 2
    return SegmentGeometry(start - centre, end - centre, np.concatenate(diameters).astype(float), soma)


def _scale(h: Any, sections: list[Any], factors: VariantFactors) -> None:
    if factors.length != 1.0 or factors.diameter != 1.0:
        for section in sections:
            for i in range(section.n3d()):
                where = [factors.length * value for value in (section.x3d(i), section.y3d(i), section.z3d(i))]
                h.pt3dchange(i, *where, factors.diameter * section.diam3d(i), sec=section)
    for name, factor in factors.conductance.items():
        for section in sections:
            for segment in section:
                if hasattr(segment, name):
                    setattr(segment, name, factor * getattr(segment, name))


def _maximal_conductances(h: Any, sections: list[Any]) -> list[str]:
    """Names like gNaTs2_tbar_NaTs2_t or gnabar_hh: the range parameters of the channels that end in ``bar``."""
    names = set()
    reference = h.ref("")
    for mechanism in {inserted.name() for section in sections for inserted in section(0.5)}:
        parameters = h.MechanismStandard(mechanism, 1)
        for i in range(int(parameters.count())):
            parameters.name(reference, i)
            if re.fullmatch(rf"g\w*bar_{mechanism}", reference[0]):
                names.add(reference[0])
    return sorted(names)


class _Sections:
    """Sections made in Python, with the one attribute of a package's template that is used here."""

    def __init__(self, sections: list[Any]) -> None:
        self.all = sections


def _ball_and_stick(h: Any, name: str) -> _Sections:
    """A Hodgkin-Huxley soma with a passive dendrite; each number gives another size, so that cells differ."""
    number = int(name.rpartition("_")[2]) if name[-1].isdigit() else 0
    soma, dendrite = h.Section(name="soma"), h.Section(name="dend")
    diameter = 16.0 + 2.0 * (number % 5)
    soma.pt3dclear()
    soma.pt3dadd(0, -diameter / 2, 0, diameter)
    soma.pt3dadd(0, diameter / 2, 0, diameter)
    length = 250.0 + 50.0 * (number * 3 % 7)
    dendrite.pt3dadd(0, diameter / 2, 0, 2.5 + 0.25 * (number % 3))
    dendrite.pt3dadd(0, diameter / 2 + length, 0, 1.5)
    dendrite.connect(soma(1), 0)
    soma.insert("hh")
    dendrite.insert("pas")
    for section in (soma, dendrite):
        section.Ra, section.cm = 100.0, 1.0
    for segment in soma:
        segment.hh.gnabar, segment.hh.gkbar = _SQUID_DENSITY * 0.12, _SQUID_DENSITY * 0.036
    for segment in dendrite:
        segment.pas.g, segment.pas.e = 1e-4, -65.0
    return _Sections([soma, dendrite])


@contextlib.contextmanager
def _working_folder(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def _templates(file: Path) -> list[tuple[str, str]]:
    """(name, text) of the templates a hoc file defines, in order."""
    found = [(match.group(1), match.group(0)) for match in _TEMPLATE_BLOCK.finditer(file.read_text(encoding="latin-1"))]
    if not found:
        raise DataError(
            f"{file} defines no hoc template", "begintemplate NAME ... endtemplate NAME", "unpack the package again"
        )
    return found


def _package_hoc(model: CellModel) -> tuple[str, str]:
    """Name of the cell's template, and the hoc text that defines it and all it uses."""
    assert model.folder is not None
    templates = [template for file in REQUIRED_FILES[::-1] for template in _templates(model.folder / file)]
    names, hoc, cell = [name for name, _ in templates], "\n".join(text for _, text in templates), templates[-1][0]
    for synapses in sorted(set(_SYNAPSE_TEMPLATE.findall(hoc))):
        stub = f"begintemplate {synapses}\npublic load_synapses\nproc load_synapses() {{ }}\nendtemplate {synapses}"
        names, hoc = [*names, synapses], f"{stub}\n{hoc}"
    # Packages of one electrical type share template names with different contents, and hoc cannot define a name twice
    suffix = hashlib.sha256((str(model.folder) + hoc).encode()).hexdigest()[:10]
    for name in names:
        hoc = re.sub(rf"\b{name}\b", f"{name}_{suffix}", hoc)
    return f"{cell}_{suffix}", hoc


def _package_cell(h: Any, model: CellModel) -> Any:
    assert model.folder is not None
    name, hoc = _package_hoc(model)
    with _working_folder(model.folder):
        try:
            if not hasattr(h, name):
                with tempfile.NamedTemporaryFile("w", suffix=".hoc", encoding="latin-1") as file:
                    file.write(hoc + "\n")
                    file.flush()
                    h.xopen(file.name)
            return getattr(h, name)(0)
        except (RuntimeError, AttributeError) as error:
            raise DataError(
                f"NEURON could not build cell model {model.name} from {model.folder} ({error})",
                "templates that run, and all their channels in the compiled mechanisms",
                "check that the mechanisms were compiled with this model in the list (NEURON's message stands above)",
            ) from error
