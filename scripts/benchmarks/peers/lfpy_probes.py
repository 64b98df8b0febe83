"""LFPy's simulation with a probe, measured once. Runs in the peers' environment, which holds no spikeline.

    python lfpy_probes.py job.json result.json

The job names a Blue Brain single-cell package, the compiled channels, the current's file and the contacts; the result
holds the seconds of ``cell.simulate(probes=[electrode])``, the number of segments and of spikes.
"""

import json
import os
import re
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("NEURON_MODULE_OPTIONS", "-nogui")

import LFPy
import neuron
import numpy as np

TEMPLATE = re.compile(r"^[ \t]*begintemplate[ \t]+(\w+).*?^[ \t]*endtemplate[ \t]+\1[ \t]*$", re.DOTALL | re.MULTILINE)


def load_templates(package: Path) -> str:
    """Load the package's templates, with an empty one for its synapses; the name of the cell's, template.hoc's last."""
    blocks = [
        match
        for name in ("morphology.hoc", "biophysics.hoc", "template.hoc")
        for match in TEMPLATE.finditer((package / name).read_text(encoding="latin-1"))
    ]
    hoc = "\n".join(match.group(0) for match in blocks)
    for name in sorted(set(re.findall(r"new\s+(synapses_\w+)\s*\(", hoc))):
        hoc = f"begintemplate {name}\npublic load_synapses\nproc load_synapses() {{ }}\nendtemplate {name}\n{hoc}"
    with tempfile.NamedTemporaryFile("w", suffix=".hoc", encoding="latin-1") as file:
        file.write(hoc + "\n")
        file.flush()
        neuron.h.xopen(file.name)
    return blocks[-1].group(1)


def main(job_file: str, result_file: str) -> None:
    job = json.loads(Path(job_file).read_text(encoding="utf-8"))
    package, current = Path(job["package"]), np.load(job["current_file"])
    neuron.h.load_file("stdlib.hoc")
    neuron.h.load_file("import3d.hoc")
    if job["mechanisms"]:
        neuron.h.nrn_load_dll(job["mechanisms"])
    os.chdir(package)  # the templates name their morphology relative to the package
    morphology = next(path for path in sorted((package / "morphology").iterdir()) if path.is_file())
    cell = LFPy.TemplateCell(
        morphology=str(morphology),
        templatefile=[],
        templatename=load_templates(package),
        templateargs=0,
        dt=job["dt_ms"],
        tstart=0.0,
        tstop=len(current) * job["dt_ms"],
        v_init=job["initial_voltage_mv"],
        celsius=job["temperature_c"],
        nsegs_method="lambda_f",
        lambda_f=job["segment_frequency_hz"],
        d_lambda=0.1,
        passive=False,
        pt3d=False,
        verbose=False,
    )
    clamp = neuron.h.IClamp(next(iter(cell.somalist))(0.5))
    clamp.delay, clamp.dur = 0.0, 1e12
    # One knot per step: cheaper than playing at every dt, which costs an event per step
    times = neuron.h.Vector((np.arange(len(current)) + 0.5) * job["dt_ms"])
    values = neuron.h.Vector(current)
    values.play(clamp._ref_amp, times, True)
    contacts = np.array(job["contacts_um"])
    start, processor_start = time.perf_counter(), time.process_time()
    electrode = LFPy.RecExtElectrode(
        cell,
        sigma=job["conductivity_s_per_m"],
        x=contacts[:, 0],
        y=contacts[:, 1],
        z=contacts[:, 2],
        method="linesource",
    )
    cell.simulate(probes=[electrode])
    seconds, processor_seconds = time.perf_counter() - start, time.process_time() - processor_start
    above = cell.somav > -20.0
    result = {
        "seconds": seconds,
        "processor_seconds": processor_seconds,
        "segments": int(cell.totnsegs),
        "spikes": int(np.sum(above[1:] & ~above[:-1])),
        "samples": int(electrode.data.shape[1]),
    }
    Path(result_file).write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
