"""Conflicts, and the decisions of people that resolve them."""
