"""How fast the simulation is, beside the strongest public peers on the same work; one file per comparison."""
