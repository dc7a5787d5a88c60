"""The ways in which a request of `Remote.chaos` may go wrong: the failure table of docs/architecture.md, row by row.

None of them lies: what was answered as not done was not done, what was answered as gone is gone. What stops, stops for
no longer than HANG seconds: a client that gives up after a second, and leaves the record alone for another, has then
seen the end of it.
"""

from dataclasses import replace

from tests.remote.faults import Fault, Way
from tests.remote.journal import WRITES

HANG = 1.5  # seconds
MAKES = ("POST",)
CHANGES = ("PUT", "PATCH")

# The request may have been carried out.
LOST = (
    Way(name="reset unread", rule={"kind": Fault.RESET}, weight=3),
    Way(name="reset done", rule={"kind": Fault.RESET, "act": True}, weight=3),
    Way(name="truncated", rule={"kind": Fault.TRUNCATED}, weight=2),
    Way(name="cut", rule={"kind": Fault.CUT}, weight=2),
    Way(name="html", rule={"kind": Fault.HTML}, weight=2),
    Way(name="500", rule={"kind": Fault.STATUS, "status": 500}, weight=2),
    Way(name="500 done", rule={"kind": Fault.STATUS, "status": 500, "act": True}, weight=2),
    Way(name="502", rule={"kind": Fault.STATUS, "status": 502}),
    Way(name="empty", rule={"kind": Fault.EMPTY}, weight=2),
    Way(name="no id", rule={"kind": Fault.NO_ID}, methods=MAKES, weight=2),
)
# … and the client waits.
STOPPED = (
    Way(name="hang undone", rule={"kind": Fault.HANG, "most": HANG}, weight=2),
    Way(name="hang done", rule={"kind": Fault.HANG, "act": True, "most": HANG}, weight=2),
    Way(name="hang done late", rule={"kind": Fault.HOLD, "act": False, "most": HANG}, weight=2),
    Way(name="slow in time", rule={"kind": Fault.SLOW, "seconds": 0.5}),
    Way(name="slow too long", rule={"kind": Fault.SLOW, "seconds": 3.0}),
)
# Nothing was done; later it may go well.
LATER = (
    Way(name="408", rule={"kind": Fault.STATUS, "status": 408}, weight=0.7),
    Way(name="425", rule={"kind": Fault.STATUS, "status": 425}, weight=0.7),
    Way(name="429", rule={"kind": Fault.STATUS, "status": 429, "retry_after": 1}, weight=0.7),
    Way(name="429 at once", rule={"kind": Fault.STATUS, "status": 429, "retry_after": 0}, weight=0.7),
    Way(name="429 date", rule={"kind": Fault.STATUS, "status": 429}, date=1, weight=0.7),
    Way(name="503", rule={"kind": Fault.STATUS, "status": 503, "retry_after": 1}, weight=0.7),
    Way(name="503 date", rule={"kind": Fault.STATUS, "status": 503}, date=1, weight=0.7),
    Way(name="503 done", rule={"kind": Fault.STATUS, "status": 503, "act": True, "retry_after": 0}),
)
# Nothing was done, and a person has to do something.
PERSON = (
    Way(name="409", rule={"kind": Fault.STATUS, "status": 409}, weight=0.5),
    Way(name="422", rule={"kind": Fault.STATUS, "status": 422}, weight=0.5),
    Way(name="404 refused", rule={"kind": Fault.STATUS, "status": 404}, methods=("POST", "GET"), weight=0.3),
    Way(name="410 refused", rule={"kind": Fault.STATUS, "status": 410}, methods=("POST", "GET"), weight=0.3),
    Way(name="302", rule={"kind": Fault.REDIRECT}, weight=0.3),
    Way(name="401", rule={"kind": Fault.STATUS, "status": 401}, weight=0.3),
    Way(name="403", rule={"kind": Fault.STATUS, "status": 403}, weight=0.3),
)
# The record is not there any more.
GONE = (
    Way(name="404 lost", rule={"kind": Fault.LOSE}, methods=CHANGES, weight=2),
    Way(name="410 lost", rule={"kind": Fault.LOSE, "status": 410}, methods=CHANGES),
    Way(name="404 gone", rule={"kind": Fault.STATUS, "status": 404, "act": True}, methods=("DELETE",), weight=2),
    Way(name="410 gone", rule={"kind": Fault.STATUS, "status": 410, "act": True}, methods=("DELETE",)),
)
ALL = (*LOST, *STOPPED, *LATER, *PERSON, *GONE)

# What fails at once, of writes alone.
QUICK = tuple(
    replace(way, methods=tuple(method for method in way.methods if method in WRITES))
    for way in (*LOST, *LATER)
    if way.date is None and not way.rule.get("retry_after")
)
