from simple_history.management.commands import clean_duplicate_history

from content.base.management.refusal import RefusedCommand


class Command(RefusedCommand, clean_duplicate_history.Command):  # type: ignore[misc]
    reason = (
        "clean_duplicate_history would delete history that a sync has yet to read, and the changes in it would never "
        "reach their targets. History is kept, and has no duplicates: a write that changes nothing is not recorded. "
        "To compare content with its history, use: manage.py check_history."
    )
