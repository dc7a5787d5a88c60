"""`make soak`: a node in use by everybody at the same time, on PostgreSQL, with its real web server and worker.

Editors with forms, programs that read and write by the API, imports, clients that are slow in each way, and a target
that follows every change. For SECONDS (300) nothing may fail, everybody who is not slow is answered within two seconds
(99.9 of 100 requests), and the memory of web server and worker in the last minute is at most 1.1 times that of the
second. `SECONDS=20 make soak` is too short to judge the memory.
"""
