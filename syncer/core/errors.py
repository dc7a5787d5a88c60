"""The errors of the engine, by what happens next.

SyncError
├── TargetStoppedError      nothing is sent to this target until a person acts
│   └── ForeignMarkError    the route's mark is from another database, or lies in the future
└── NotPossibleError        the request can't be carried out; the message names the cure
"""


class SyncError(Exception):
    """The root of the engine's errors. The message is shown to people; one that is stored is a phrase."""


class TargetStoppedError(SyncError):
    """Nothing is sent to this target until a person acts."""


class ForeignMarkError(TargetStoppedError):
    """The route's mark was taken in another database, or lies in the future of this one."""


class NotPossibleError(SyncError):
    """The request can't be carried out in the present state; the message names the cure."""
