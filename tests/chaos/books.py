"""What each planted fault means for a delivery: by the table of docs/architecture.md, not by the engine's code."""

LOST = {
    "reset unread",
    "reset done",
    "truncated",
    "cut",
    "html",
    "500",
    "500 done",
    "502",
    "no id",
    "hang undone",
    "hang done",
    "hang done late",
    "slow too long",
    "503",
    "503 date",
    "503 done",
}
LATER = {"408", "425", "429", "429 at once", "429 date"}
PERSON = {"302", "401", "403"}
REFUSED = {"409", "422", "404 refused", "410 refused"}
GONE = {"404 lost", "410 lost"}
HELD = "held"  # for a moment, so that a worker stands still while answers are on their way
WELL = {"slow in time", HELD}
DELETED = {"404 gone", "410 gone"}


def meaning(fault: str, action: str, status: int | None) -> str:
    """The outcome that an attempt must have whose request fell to `fault`; `action` as in `syncer.models.Attempt`.

    A number says it all: what else is wrong with an answer matters only where it is a success.
    """
    if status == 404 and fault in {"truncated", *WELL} and action != "lookup":
        return {"delete": "done", "update": "gone"}.get(action, "permanent")
    if fault in LOST or (fault == "empty" and action in ("create", "replay")):
        return "retryable" if action == "lookup" else "unknown"
    if fault == "empty":
        return "retryable" if action == "lookup" else "done"
    if fault in LATER or (fault == "409" and action == "replay"):
        return "retryable"
    if fault in PERSON:
        return "configuration"
    if fault in REFUSED:
        return "permanent"
    if fault in GONE:
        return "gone"
    assert fault in DELETED | WELL
    return "done"
