"""What can become of a request, by the one thing that decides what happens next: whether it can have arrived.

    HttpError
    ├── NotSentError        it never left: refused, unreachable, no such host
    ├── LostError           it may have arrived: reset, time-out, broken or overlong answer
    └── ForbiddenError      the address or the certificate may not be trusted

What a message quotes is ours: a server could make it repeat the secret that it was sent.
"""


class HttpError(Exception):
    """No complete answer came. The message is a predicate: it reads on from the name of who was asked.

    Attributes:
        slow: the time ran out.
    """

    def __init__(self, message: str, *, slow: bool = False) -> None:
        super().__init__(message)
        self.slow = slow


class NotSentError(HttpError):
    """The request never left."""


class LostError(HttpError):
    """The request may have arrived, but its answer was lost."""


class ForbiddenError(HttpError):
    """We do not speak to this address."""
