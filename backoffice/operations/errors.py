IN_USE = "Stop the web server and the worker first:"


class BackupError(Exception):
    """There is no backup, or nothing was restored; the message says why, and the cure."""
