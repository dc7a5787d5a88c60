"""Flows against servers that are not ours, behind a proxy that loses requests and answers; `make test-real` runs them.

`install.sh` installs json-server, Kinto and PocketBase into `.venvs/real`. The engine's own database does not matter
here, so one is enough: SQLite.
"""
