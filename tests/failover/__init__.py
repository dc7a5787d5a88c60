"""`make failover`: the primary dies amid edits and a sync, the standby takes over, and a worker's host dies too.

A real primary with a synchronous standby, a web server, two workers as on two hosts (each with a folder of its own),
four editors who write through the API until each write is acknowledged, and a target. In the end what was acknowledged
is there, the target equals us, and no object was created twice.
"""
