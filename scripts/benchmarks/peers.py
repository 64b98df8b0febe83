"""Rule peers: an environment for what the benchmarks measure against."""

import subprocess
import sys
from pathlib import Path

from spikeline.artifacts import atomic_file
from spikeline.log import log_to

log_to(snakemake.log[0])
folder = Path(snakemake.params.folder)
# With this run's interpreter: of which version the python on the PATH is, or whether there is one, nobody knows
subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
pip = [str(folder / "bin/python"), "-m", "pip", "--disable-pip-version-check"]
subprocess.run([*pip, "install", "-r", snakemake.input[0]], check=True)
installed = subprocess.run([*pip, "freeze"], check=True, capture_output=True, text=True).stdout
with atomic_file(snakemake.output[0]) as temporary:
    temporary.write_text(installed, encoding="utf-8")
