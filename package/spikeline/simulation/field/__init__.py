"""From currents to potentials: segments, line sources."""
