"""What can stop the engine, by what happens next.

SyncError
├── TargetStopped      nothing is sent to this target until a person has looked
│   └── ForeignMark    the route's mark is another database's, or lies in the future
└── NotPossible        what was asked for can't be done; the message names the cure
"""


class SyncError(Exception):
    """The root. Its message is for people."""


class TargetStopped(SyncError):
    """Nothing is sent to this target until a person has looked."""


class ForeignMark(TargetStopped):
    """The route's mark was made in another database, or lies in the future of this one."""


class NotPossible(SyncError):
    """What was asked for can't be done as things are; the message names the cure."""
