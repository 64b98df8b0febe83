"""A single-cell package in the layout of the Blue Brain ones, written by the tests: ball, stick, random channel."""

from __future__ import annotations

from pathlib import Path

STOCHASTIC_CELL = "L9_TEST_cSTUT_1"

_TEMPLATE = """
load_file("morphology.hoc")
load_file("biophysics.hoc")
load_file("synapses/synapses.hoc")
{ this_is_outside_a_template_and_must_never_run() }

begintemplate test_cell
  public init, soma, dend, all, somatic, basal
  create soma[1], dend[1]
  objref all, somatic, basal, synapses, this
proc init() { localobj m, b
        all = new SectionList()
    somatic = new SectionList()
    basal = new SectionList()
    soma[0] { pt3dclear() pt3dadd(5, -8, 0, 16) pt3dadd(5, 8, 0, 16) all.append() somatic.append() }
    dend[0] { pt3dclear() pt3dadd(5, 8, 0, 2) pt3dadd(5, 258, 40, 2) all.append() basal.append() }
    soma[0] connect dend[0](0), 1
    m = new test_morphology()
    m.morphology(this)
    b = new test_biophys()
    b.biophys(this)
    if ($1 == 1) { synapses = new synapses_test() }
}
endtemplate test_cell
"""
_MORPHOLOGY = """
begintemplate test_morphology
  public morphology
proc morphology() { forsec $o1.basal { pt3dchange(1, 5, 258, 40, 1.5) } }
endtemplate test_morphology
"""
_BIOPHYSICS = """
begintemplate test_biophys
  public biophys
proc biophys() {
    forsec $o1.all { insert pas  e_pas = -65  g_pas = 1e-4  cm = 1  Ra = 100 }
    forsec $o1.somatic { insert hh  gnabar_hh = 0.36  gkbar_hh = 0.108  insert StochKv  ek = -77  ena = 50 }
}
endtemplate test_biophys
"""
# A random walk of open channels; like the published StochKv it points to a generator and declares NEURON's functions
_STOCHASTIC_CHANNEL = """
NEURON {
    SUFFIX StochKv
    USEION k READ ek WRITE ik
    RANGE gkbar, opened, total
    POINTER rng
}
UNITS { (mA) = (milliamp) (mV) = (millivolt) (S) = (siemens) }
PARAMETER { gkbar = 0.002 (S/cm2) total = 40 }
ASSIGNED { v (mV) ek (mV) ik (mA/cm2) rng }
STATE { opened }
VERBATIM
extern double nrn_random_pick(void* r);
extern void* nrn_random_arg(int argpos);
ENDVERBATIM
INITIAL { opened = floor(total / 2) }
BREAKPOINT { SOLVE walk  ik = gkbar * opened / total * (v - ek) }
PROCEDURE walk() { LOCAL drawn
    drawn = urand()
    if (drawn < 0.3 && opened < total) { opened = opened + 1 }
    if (drawn > 0.7 && opened > 0) { opened = opened - 1 }
}
PROCEDURE setRNG() {
VERBATIM
    void** pv = (void**)(&_p_rng);
    if (ifarg(1)) { *pv = nrn_random_arg(1); } else { *pv = (void*)0; }
ENDVERBATIM
}
FUNCTION urand() {
VERBATIM
    double value = 0.5;
    if (_p_rng) { value = nrn_random_pick(_p_rng); }
    _lurand = value;
ENDVERBATIM
}
"""


def write_package(folder: Path) -> None:
    """Write the package."""
    for name, text in {
        "template.hoc": _TEMPLATE,
        "morphology.hoc": _MORPHOLOGY,
        "biophysics.hoc": _BIOPHYSICS,
        "morphology/cell.asc": "; the morphology is in morphology.hoc\n",
        "mechanisms/StochKv.mod": _STOCHASTIC_CHANNEL,
        "mechanisms/ProbAMPANMDA_EMS.mod": "this synapse does not compile and must be left out\n",
        "run.py": "raise SystemExit('run scripts must never run')\n",
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
