"""Two real nodes that keep one truth: each its own database, web server and worker, with a way between them that fails.

`node` is one of them, `way` what lies between, `editing` a process that edits at one, `books` what it did, `ends` both
databases compared. `bench/pair.py` stands on the same nodes.
"""
