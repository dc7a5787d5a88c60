"""Work for a job that leaves what it was given in every column that a job has."""

from typing import Any

from backoffice.kit.jobs.progress import Progress


def fail_with(progress: Progress, *, text: str) -> dict[str, Any]:
    progress.fail(text, f"could not do: {text}")
    with progress.file("report.txt", "text/plain") as file:
        file.write(text.encode())
    return {"did": [text]}
