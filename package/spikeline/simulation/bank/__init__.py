"""The bank of membrane currents: simulated once, low rank, placed anywhere."""

from spikeline.simulation.bank.entry import BANK_SCHEMA, BankEntry, read_bank_entry, write_bank_entry

__all__ = ["BANK_SCHEMA", "BankEntry", "read_bank_entry", "write_bank_entry"]
