"""The web server: Granian holds the connections, threads run Django, and what a client sends is bounded. See ADR 33.

client ── Granian ── application ── Body.read ── a thread: backoffice.wsgi ── the answer
          (heads)    (ASGI)         (bodies)
"""
