"""From two moments to the impulse response and weight of each component."""
