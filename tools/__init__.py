"""What `make` runs: the two nodes of `make run`, their passwords, and the checks of a production set-up."""
