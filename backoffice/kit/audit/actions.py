from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _


class Action(models.TextChoices):
    """What the audit trail records: `<kind of subject>.<what happened to it>`."""

    SIGNED_IN = "sign_in.succeeded", _("Signed in")
    SIGN_IN_FAILED = "sign_in.failed", _("Failed to sign in")
    SIGNED_OUT = "sign_in.ended", _("Signed out")
    SESSIONS_ENDED = "session.ended", _("Ended sessions")
    TOKEN_REUSED = "token.reused", _("Used a refresh token twice")
    IDENTITY_LINKED = "sign_in.linked", _("Linked an account to its sign-in elsewhere")
    SECOND_FACTOR_SET_UP = "second_factor.set_up", _("Set up a second factor")
    SECOND_FACTOR_REMOVED = "second_factor.removed", _("Took a second factor away")
    RECOVERY_CODES_MADE = "second_factor.codes", _("Made recovery codes")
    RECOVERY_CODE_USED = "second_factor.recovery", _("Used a recovery code")
    RESET_ASKED = "password.reset_asked", _("Asked for a new password by mail")
    RESET_MAILED = "password.reset_mailed", _("Sent a mail for a new password")
    RESET_DONE = "password.reset_done", _("Set a new password by mail")
    PASSWORD_CHANGED = "password.changed", _("Changed a password")
    USER_CREATED = "user.created", _("Created a user")
    USER_CHANGED = "user.changed", _("Changed a user")
    USER_DELETED = "user.deleted", _("Deleted a user")
    GROUP_CREATED = "group.created", _("Created a group")
    GROUP_CHANGED = "group.changed", _("Changed a group")
    GROUP_DELETED = "group.deleted", _("Deleted a group")
    GRANTED = "permission.granted", _("Gave permissions")
    REVOKED = "permission.revoked", _("Took permissions away")
    KEY_CREATED = "api_key.created", _("Created an API key")
    KEY_CHANGED = "api_key.changed", _("Changed an API key")
    KEY_REVOKED = "api_key.revoked", _("Revoked an API key")
    KEY_DELETED = "api_key.deleted", _("Deleted an API key")
    TARGET_CREATED = "target.created", _("Created a target")
    TARGET_CHANGED = "target.changed", _("Changed a target")
    TARGET_DELETED = "target.deleted", _("Deleted a target")
    ROUTE_CREATED = "route.created", _("Created a route")
    ROUTE_CHANGED = "route.changed", _("Changed a route")
    ROUTE_DELETED = "route.deleted", _("Deleted a route")
    IMPORT_STARTED = "import.started", _("Uploaded an import")
    IMPORT_CONFIRMED = "import.confirmed", _("Confirmed an import")
    IMPORT_CANCELLED = "import.cancelled", _("Cancelled an import")
    IMPORT_UNDONE = "import.undone", _("Undid an import")
    EXPORTED = "export.made", _("Exported")
    RUN_REQUESTED = "run.requested", _("Asked for a sync")
    RUN_CANCELLED = "run.cancelled", _("Cancelled a sync")
    DECIDED = "decision.made", _("Decided")
    ERASED = "erasure.done", _("Erased a client")
    RESTORED = "database.restored", _("Restored a backup")
    PRUNED = "audit.pruned", _("Deleted old audit entries")


def choices() -> list[tuple[str, Any]]:
    """Return the actions for a column's choices: by a function, so that a new one needs no migration."""
    return Action.choices
