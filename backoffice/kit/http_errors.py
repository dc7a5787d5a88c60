"""Errors of requests, by the one fact that decides what happens next: whether the request can have arrived.

    HttpError
    ├── NotSentError        it was never sent: refused, unreachable, no such host
    ├── LostError           it may have arrived: reset, time-out, broken or overlong answer
    └── ForbiddenError      the address or the certificate may not be trusted

Messages quote only our own words: a server could repeat a secret that it was sent.
"""


class HttpError(Exception):
    """No complete answer came. The message is a predicate: it continues a sentence that begins with the server's name.

    Attributes:
        slow: whether a time-out or the deadline ended the request.
    """

    def __init__(self, message: str, *, slow: bool = False) -> None:
        super().__init__(message)
        self.slow = slow


class NotSentError(HttpError):
    """The request was never sent."""


class LostError(HttpError):
    """The request may have arrived, but its answer was lost."""


class ForbiddenError(HttpError):
    """The address is not allowed, or its certificate is not trusted."""
