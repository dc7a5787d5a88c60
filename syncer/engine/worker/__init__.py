"""`manage.py worker`: the queue's cluster under a watchdog."""
