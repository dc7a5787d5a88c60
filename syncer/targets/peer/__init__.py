"""Peers: another back office with which this one keeps one truth, both ways."""
