from simple_history.management.commands import clean_old_history

from content.base.management.refusal import RefusedCommand


class Command(RefusedCommand, clean_old_history.Command):  # type: ignore[misc]
    reason = (
        "clean_old_history would delete history that a sync has yet to read, and the changes in it would never reach "
        "their targets. History is kept. To compare content with its history, use: manage.py check_history."
    )
