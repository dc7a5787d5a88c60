"""REST services: one record for each object."""

REST = "rest"  # the value of `Target.kind`
