"""A fake of the other back office of a pair; see `fake_peer`."""
