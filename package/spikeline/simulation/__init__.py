"""Cells -> membrane currents -> recordings. NEURON and LFPy are imported only in this room, and only where a cell is run."""
