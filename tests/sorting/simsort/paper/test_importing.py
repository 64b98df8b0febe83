"""Only the modules with networks in them load torch."""

import subprocess
import sys


def test_what_needs_no_network_loads_no_torch():
    names = ["augmentation", "clustering", "peaks", "preprocessing", "reduction", "snippets", "sorting"]
    code = "\n".join(f"import spikeline.sorting.simsort.paper.{name}" for name in names)
    heavy = "sorted(m for m in ('torch', 'umap', 'sklearn', 'spikeinterface') if m in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint({heavy})"], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
