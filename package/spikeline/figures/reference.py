"""What stands where a published number would stand that nobody here has read."""

from __future__ import annotations

__all__ = ["NOT_AVAILABLE"]

NOT_AVAILABLE = "not available"
"""In the column ``paper`` of tables: the numbers printed in the SimSort paper were not available to us."""
