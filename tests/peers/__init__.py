"""The other back office of a pair, played in memory; see `fake_peer`."""
