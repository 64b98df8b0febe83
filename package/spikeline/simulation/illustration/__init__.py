"""The tables that the figures of the simulation stage are drawn from."""
