"""Building cells: geometry, variants, and that a package runs nothing but its templates."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from spikeline.config.simulation import IntegrationSettings, VariantSettings
from spikeline.errors import DataError
from spikeline.simulation.cells.cell import build_cell
from spikeline.simulation.cells.cell_sources import CellModel
from spikeline.simulation.cells.variants import variant_factors

pytestmark = pytest.mark.neuron
COOL = IntegrationSettings(temperature_c=20.0)

# LFPy's own loading of the same package (its template, with an empty synapse template), in a process of its own
_LFPY = """
import json, os, pathlib, re, sys, warnings
warnings.simplefilter("ignore")
import numpy as np
folder, mechanisms, current = sys.argv[1], sys.argv[2], np.array(json.loads(sys.argv[3]))
import neuron, LFPy
h = neuron.h
h.nrn_load_dll(mechanisms)
os.chdir(folder)
template = open("template.hoc").read()
name = re.search(r"begintemplate (\\w+)", template).group(1)
synapses = re.search(r"new (synapses_\\w+)", template).group(1)
h(f"begintemplate {synapses}\\nendtemplate {synapses}")
h.load_file("import3d.hoc")
for file in ("morphology.hoc", "biophysics.hoc"):
    h.load_file(file)
h(template.replace('load_file("synapses/synapses.hoc")', ""))
cell = LFPy.TemplateCell(
    morphology=str(next(pathlib.Path("morphology").iterdir())), templatefile=[], templatename=name, templateargs=0,
    pt3d=True, nsegs_method="lambda_f", lambda_f=1, v_init=-70, celsius=34, dt=0.1, tstart=0, tstop=0.1 * len(current),
    passive=False, delete_sections=False,
)
clamp = LFPy.StimIntElectrode(cell, idx=0, pptype="IClamp", amp=0, dur=1e9, delay=0, record_current=False)
values = h.Vector(current)
values.play(h.IClamp[0]._ref_amp, 0.1)
cell.simulate(rec_imem=True, rec_vmem=False)
kept = slice(1, len(current) + 1)
out = dict(x=cell.x, y=cell.y, z=cell.z, d=cell.d, imem=cell.imem[:, kept], somav=cell.somav[kept])
print("RESULT" + json.dumps({key: np.asarray(value).tolist() for key, value in out.items()}))
"""


def test_geometry_and_currents_equal_those_of_lfpy(packaged_models: dict[str, CellModel], mechanisms: Path) -> None:
    pytest.importorskip("LFPy")
    from spikeline.simulation.bank.slices import SliceRunner

    model = packaged_models["L5_SBC_bNAC219_1"]
    cell = build_cell(model, IntegrationSettings(), mechanisms=mechanisms)
    current = np.r_[np.zeros(50), np.full(550, 0.15)] + 0.02 * np.sin(np.arange(600))
    arguments = [str(model.folder), str(mechanisms / "libnrnmech.so"), json.dumps(current.tolist())]
    run = subprocess.run([sys.executable, "-c", _LFPY, *arguments], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    expected = {key: np.array(value) for key, value in json.loads(run.stdout.split("RESULT")[1]).items()}

    geometry = cell.geometry
    assert geometry.n_segments == 46
    for axis, name in enumerate("xyz"):
        np.testing.assert_allclose(geometry.start_um[:, axis], expected[name][:, 0], atol=1e-3)
        np.testing.assert_allclose(geometry.end_um[:, axis], expected[name][:, 1], atol=1e-3)
    # LFPy writes each moved point back to NEURON in single precision
    np.testing.assert_allclose(geometry.diameter_um, expected["d"], rtol=1e-6)

    runner = SliceRunner(cell, dt_ms=0.1, initial_voltage_mv=-70.0)
    runner.run(current)
    assert runner.soma_voltage_mv().max() > 0  # it fires
    np.testing.assert_allclose(runner.soma_voltage_mv(), expected["somav"], atol=0.01)
    np.testing.assert_allclose(runner.currents_na(), expected["imem"], atol=1e-3)


def test_the_soma_is_at_the_origin() -> None:
    for name in ("ball_and_stick", "ball_and_stick_3"):
        geometry = build_cell(CellModel(name, "ball_and_stick", None), COOL).geometry
        soma = geometry.is_soma
        np.testing.assert_allclose((geometry.start_um[soma] + geometry.end_um[soma]).mean(axis=0), 0, atol=1e-9)


def test_numbered_built_in_cells_have_different_sizes() -> None:
    sizes = {
        build_cell(CellModel(f"ball_and_stick_{i}", "ball_and_stick", None), COOL).geometry.end_um[:, 1].max().round(3)
        for i in (1, 2, 3)
    }
    assert len(sizes) == 3


def test_a_warm_squid_is_refused() -> None:
    with pytest.raises(DataError, match="34 degrees"):
        build_cell(CellModel("ball_and_stick", "ball_and_stick", None), IntegrationSettings())


def test_more_segments_at_a_higher_frequency(packaged_models: dict[str, CellModel], mechanisms: Path) -> None:
    model = packaged_models["L5_SBC_bNAC219_1"]
    coarse = build_cell(model, IntegrationSettings(), mechanisms=mechanisms).geometry
    fine = build_cell(model, IntegrationSettings(segment_frequency_hz=100.0), mechanisms=mechanisms).geometry
    assert fine.n_segments > 2 * coarse.n_segments
    np.testing.assert_allclose(fine.end_um.max(axis=0), coarse.end_um.max(axis=0), atol=20)


def test_a_variant_scales_lengths_diameters_and_densities(
    packaged_models: dict[str, CellModel], mechanisms: Path
) -> None:
    model, variants = packaged_models["L5_SBC_bNAC219_1"], VariantSettings(count=2)
    coarse = IntegrationSettings(segment_frequency_hz=0.1)  # one segment per section, whatever the scale
    published = build_cell(model, coarse, mechanisms=mechanisms)
    old = {name: getattr(published.soma, name) for name in ("gNaTs2_tbar_NaTs2_t", "gSKv3_1bar_SKv3_1", "g_pas")}
    geometry, section_length = published.geometry, published.soma.sec.L
    scaled = build_cell(model, coarse, mechanisms=mechanisms, variant="v001", variants=variants, root_seed=3)
    factors = scaled.factors
    assert factors == variant_factors(3, model.name, "v001", variants, factors.conductance)
    assert {"gNaTs2_tbar_NaTs2_t", "gSKv3_1bar_SKv3_1"} <= set(factors.conductance)
    assert "g_pas" not in factors.conductance
    assert scaled.geometry.n_segments == geometry.n_segments
    np.testing.assert_allclose(scaled.geometry.end_um, factors.length * geometry.end_um, atol=1e-2)
    np.testing.assert_allclose(scaled.geometry.diameter_um, factors.diameter * geometry.diameter_um, rtol=0.05)
    assert pytest.approx(factors.length * section_length, rel=1e-4) == scaled.soma.sec.L
    for name, value in old.items():
        assert getattr(scaled.soma, name) == pytest.approx(factors.conductance.get(name, 1.0) * value)


def test_nothing_but_templates_of_a_package_is_run(stochastic_model: CellModel, mechanisms: Path) -> None:
    # its template.hoc holds a statement outside the template, and loads a synapse file that does not exist
    before = Path.cwd()
    cell = build_cell(stochastic_model, COOL, mechanisms=mechanisms)
    assert cell.geometry.is_soma.sum() == 1
    assert Path.cwd() == before


def test_cells_can_follow_each_other_in_a_process(packaged_models: dict[str, CellModel], mechanisms: Path) -> None:
    for model in [*packaged_models.values(), *packaged_models.values()]:
        assert build_cell(model, IntegrationSettings(), mechanisms=mechanisms).name == model.name


def test_a_package_without_a_template_is_refused(stochastic_model: CellModel, tmp_path: Path, mechanisms: Path) -> None:
    assert stochastic_model.folder is not None
    shutil.copytree(stochastic_model.folder, tmp_path / "cell")
    (tmp_path / "cell" / "biophysics.hoc").write_text("print 1\n")
    with pytest.raises(DataError, match=r"biophysics\.hoc defines no hoc template"):
        build_cell(CellModel("cell", "bbp_folder", tmp_path / "cell"), COOL, mechanisms=mechanisms)


def test_a_channel_that_was_not_compiled_is_reported(
    stochastic_model: CellModel, tmp_path: Path, mechanisms: Path
) -> None:
    assert stochastic_model.folder is not None
    shutil.copytree(stochastic_model.folder, tmp_path / "cell")
    file = tmp_path / "cell" / "biophysics.hoc"
    file.write_text(file.read_text().replace("insert StochKv", "insert NoSuchChannel"))
    with pytest.raises(DataError, match="could not build cell model cell"):
        build_cell(CellModel("cell", "bbp_folder", tmp_path / "cell"), COOL, mechanisms=mechanisms)
