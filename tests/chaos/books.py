"""What each planted fault means for a delivery: by the table of docs/architecture.md, not by the engine's code."""

UNREADABLE = {"truncated", "html", "no id"}  # it was carried out, and its answer says nothing
LOST = {
    "reset unread",
    "reset done",
    "cut",
    "500",
    "500 done",
    "502",
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
MAKES = ("create", "replay")


def meaning(fault: str, action: str, method: str, status: int | None) -> set[str]:
    """The outcomes that an attempt may have whose request fell to `fault`; `action` as in `syncer.models.Attempt`.

    A number says it all: what else is wrong with an answer matters only where it is a success. What seems to be gone,
    forbidden or taken is `retryable` where the evidence for it could not be had.
    """
    if method == "GET":
        return _asked(fault, action, status)
    if status == 404 and fault in {"truncated", "html", "empty", *WELL}:
        return {"permanent", "retryable"} if action in MAKES else {"gone", "retryable"}
    if fault in LOST:
        return {"unknown"}
    if fault in UNREADABLE or fault == "empty":
        believed = {"made"} if action in MAKES else {"done"}
        return believed | {"unknown"} if fault == "html" else believed  # its list may have shown such a page too
    if fault in LATER or (fault == "409" and action == "replay"):
        return {"retryable"}
    if fault == "302":
        return {"unknown"} if action in MAKES else {"configuration", "forbidden"}
    if fault == "403":
        return {"forbidden", "configuration", "retryable"}
    if fault in PERSON:
        return {"configuration", "forbidden"}
    if fault in REFUSED:
        return {"taken", "permanent", "retryable", "configuration"} if action in MAKES else {"permanent"}
    if fault in GONE | DELETED:
        return {"gone", "retryable"}
    assert fault in WELL
    return {"done"}


def _asked(fault: str, action: str, status: int | None) -> set[str]:
    """The outcomes of a request that changes nothing: a lookup, or one that asks for evidence."""
    if status in (404, 410):
        return {"retryable", "gone"}
    if fault == "no id":
        return {"retryable", "done"}  # a list has none, and of a record is known which was asked for
    if fault in LOST | LATER | UNREADABLE or fault == "empty":
        return {"retryable"}
    if fault == "403":
        return {"forbidden", "configuration"}
    if fault in PERSON:
        return {"configuration"}
    if fault in REFUSED:
        return {"permanent"}
    return {"done"}
