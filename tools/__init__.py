"""The programs behind `make`: the two nodes of `make run`, their passwords, the demo, the tests and the checks."""
