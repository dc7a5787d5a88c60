"""The kinds of targets, a folder each."""
