"""REST services: one record for each object."""
