"""Both ends of a pair: their status, and the comparison that proves them equal."""
