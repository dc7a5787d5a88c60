"""What can stop the engine, by what happens next.

SyncError
├── TargetStoppedError      nothing is sent to this target until a person has looked
│   └── ForeignMarkError    the route's mark is another database's, or lies in the future
└── NotPossibleError        what was asked for can't be done; the message names the cure
"""


class SyncError(Exception):
    """The root. Its message is for people."""


class TargetStoppedError(SyncError):
    """Nothing is sent to this target until a person has looked."""


class ForeignMarkError(TargetStoppedError):
    """The route's mark was made in another database, or lies in the future of this one."""


class NotPossibleError(SyncError):
    """What was asked for can't be done as things are; the message names the cure."""
