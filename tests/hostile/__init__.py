"""Bad input at every entry point: refused with its cure or kept exactly as sent, never half written, never a 500.

Tables of inputs, and the tests that send them. SECURITY.md counts them; `.venv/bin/python -m tests.hostile` renews it.
"""
