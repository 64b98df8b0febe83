"""How fast and how right SimSort is, beside the strongest public sorters on the same recording."""
