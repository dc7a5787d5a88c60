"""Handing our edits over to a peer, and what comes of it."""
