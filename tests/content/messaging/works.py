"""Work for jobs: one leaves what it was given in every column that a job has, one is erased while it writes."""

from typing import Any

from backoffice.kit.jobs.progress import Progress
from content.messaging.services import erase_client


def fail_with(progress: Progress, *, text: str) -> dict[str, Any]:
    progress.fail(text, f"could not do: {text}")
    with progress.file("report.txt", "text/plain") as file:
        file.write(text.encode())
    return {"did": [text]}


def erased_while_it_writes(progress: Progress, *, client: str) -> None:
    with progress.file("clients.csv", "text/csv") as out:
        out.write(client.encode())
        erase_client(client=client, user=None, reason="Request 12")
        progress.advance()
