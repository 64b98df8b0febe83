"""How near an estimate is to the truth, whatever the order and coordinates of its components."""
