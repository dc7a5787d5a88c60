"""The engine: find the work, share it between workers, and do it."""
