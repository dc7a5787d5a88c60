"""Benchmarks: what they measure, how they are run and their last figures are in README.md."""
