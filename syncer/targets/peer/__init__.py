"""Peers: another back office with which this one keeps the same objects, both ways."""

PEER = "peer"  # the value of `Target.kind`
