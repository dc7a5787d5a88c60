from simple_history.management.commands import populate_history

from content.base.management.refusal import RefusedCommand


class Command(RefusedCommand, populate_history.Command):  # type: ignore[misc]
    reason = (
        "populate_history skips every model that has some history, so rows that were written without history would "
        "stay without it. The database writes the history. To record what is missing, use: manage.py check_history "
        "--record."
    )
