"""MEArec's gen_recordings, measured once after a warm-up. Runs in the peers' environment, which holds no spikeline.

    python mearec_recording.py job.json result.json

The job names a file of templates (units x contacts x samples) and spike times, and gives MEArec's settings; the result
holds the seconds of ``gen_recordings`` with templates and spike trains given, the shape and deviation of what it made.
"""

import json
import sys
import time
import warnings
from pathlib import Path

import MEArec
import neo
import numpy as np
import quantities

MODULATION = {
    "none": {"modulation": "none"},
    "electrode": {"modulation": "electrode"},
    "interval": {
        "modulation": "electrode",
        "bursting": True,
        "shape_mod": True,
        "n_bursting": None,
        "bursting_units": None,
    },
}


def template_generator(
    templates: np.ndarray, rate_hz: float, peak_ms: float, pitch_um: float
) -> MEArec.TemplateGenerator:
    """Ready templates, as MEArec would have read them from its own file."""
    length_ms = 1e3 * templates.shape[2] / rate_hz
    count = len(templates)
    arrays = {
        "templates": templates,
        "locations": np.c_[np.full(count, 30.0), np.zeros(count), 100.0 * np.arange(count)],
        "rotations": np.zeros((count, 3)),
        "celltypes": np.array(["PC"] * count),
    }
    electrodes = {
        "electrode_name": "tetrode",
        "description": "tetrode",
        "sortlist": None,
        "pitch": pitch_um,
        "dim": 2,
        "size": 7.0,
        "shape": "square",
        "type": "mea",
        "plane": "yz",
    }
    parameters = {"dt": 1e3 / rate_hz, "cut_out": [peak_ms, length_ms - peak_ms], "drifting": False}
    return MEArec.TemplateGenerator(temp_dict=arrays, info={"params": parameters, "electrodes": electrodes})


def main(job_file: str, result_file: str) -> None:
    job = json.loads(Path(job_file).read_text(encoding="utf-8"))
    arrays = np.load(job["arrays_file"])
    templates, edges = arrays["templates"], np.cumsum(arrays["counts"])[:-1]
    rate, duration = job["sampling_rate_hz"], job["duration_s"]
    generator = template_generator(templates, rate, job["peak_ms"], job["pitch_um"])

    def trains() -> MEArec.SpikeTrainGenerator:
        made = [
            neo.SpikeTrain(times, t_stop=duration, units=quantities.s, cell_type="E")
            for times in np.split(arrays["spikes_s"], edges)
        ]
        return MEArec.SpikeTrainGenerator(spiketrains=made)

    def parameters() -> dict:
        return {
            "seeds": {"templates": 0, "convolution": 1, "noise": 2, "spiketrains": 3},
            "cell_types": {"excitatory": ["PC"], "inhibitory": ["BC"]},
            # the templates fade to zero at both ends already; it cannot do without any padding
            "templates": {"pad_len": [0.5, 0.5], "smooth_percent": 0.0, "min_dist": 0.0, "min_amp": 0.0},
            "recordings": {
                "fs": rate,
                "noise_level": job["noise_uv"],
                "noise_mode": "uncorrelated",
                "noise_color": job["coloured"],
                "color_peak": 300.0,
                "color_q": 2.0,
                "color_noise_floor": 1.0,
                "filter": job["filtered"],
                "drifting": False,
                "chunk_duration": job["chunk_duration_s"],
                **MODULATION[job["modulation"]],
            },
        }

    def make() -> tuple[float, MEArec.RecordingGenerator]:
        given, chosen = trains(), parameters()
        start = time.perf_counter()
        recording = MEArec.gen_recordings(
            params=chosen,
            tempgen=generator,
            spgen=given,
            template_ids=np.arange(len(templates)),
            tmp_mode=job["tmp_mode"],
            n_jobs=job["n_jobs"],
            verbose=False,
        )
        return time.perf_counter() - start, recording

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        make()
        seconds, recording = make()
    traces = recording.recordings
    result = {
        "seconds": seconds,
        "shape": list(traces.shape),
        "dtype": str(traces.dtype),
        "deviation_uv": float(np.median(np.abs(traces[:200_000])) / 0.6745),
    }
    Path(result_file).write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
