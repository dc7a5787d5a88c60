"""The Fake API as tests speak to it: what it holds and saw, and how it is to behave."""

import threading
from collections.abc import Callable, Sequence
from typing import Any, Self

from tests.remote.api import Answer, Api, Auth, Call, Paging
from tests.remote.auth import Tokens
from tests.remote.dialect import Dialect
from tests.remote.faults import Chaos, Fault, Plan, Rule, Way
from tests.remote.journal import Entry, Journal
from tests.remote.keys import Keys
from tests.remote.server import Handler, Server
from tests.remote.speaker import Speaker
from tests.remote.store import Key, Record, Store
from tests.remote.ways import QUICK


class Remote:
    """A Fake API that runs; see the package's docstring for how a test speaks to it."""

    handler = Handler

    def __init__(self) -> None:
        self.store = Store()
        self.api: Api = Api(self.store)
        self.log = Journal()
        self.plan = Plan()
        self.errors: list[BaseException | None] = []  # of the service itself; leaving the `with` block raises them
        self.lost: set[str] = set()  # the paths of the records that it lost by itself
        self.port = 0
        self._server: Server | None = None

    # --- running -----------------------------------------------------------------------------------------------------
    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        assert not self.errors, self.errors

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Take connections, on the same port as before."""
        self._server = Server(self, self.port)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def stop(self) -> None:
        """Hang up on everybody and refuse connections. Records, journal and rules stay; what was held is let go."""
        if self._server:
            self._server.shutdown()
            self._thread.join()
            self._server.hang_up()
            self.plan.release()
            self._server.server_close()
            self._server = None

    # --- what it holds and saw ---------------------------------------------------------------------------------------
    def records(self, collection: str) -> dict[Key, Record]:
        """Copies of the records of `/comments`, by id."""
        return self.store.records(collection)

    @property
    def posts(self) -> dict[Key, Record]:
        return self.records("/posts")

    @property
    def comments(self) -> dict[Key, Record]:
        return self.records("/comments")

    @property
    def journal(self) -> list[Entry]:
        return self.log.entries()

    def writes(self) -> list[Entry]:
        """The POST, PUT, PATCH and DELETE requests, in order of arrival; sign-in is not among them."""
        return [entry for entry in self.journal if entry.is_write]

    def clear_journal(self) -> None:
        self.log.clear()

    def wait_for(self, predicate: Callable[[], object], seconds: float = 10) -> None:
        """Wait until `predicate()` is true, at most `seconds`, else `TimeoutError`; asked again at each request."""
        self.log.wait_for(predicate, seconds)

    # --- how it behaves ----------------------------------------------------------------------------------------------
    def fault(self, kind: Fault, **rule: Any) -> Rule:
        """Plan a fault; the keywords are `Rule`'s. The rule returned can be waited for and released."""
        return self.plan.add(Rule(kind=kind, **rule))

    def hold(self, method: str = "*", path: str = "*", *, act: bool = True) -> Rule:
        """Stop the next such request, after it was carried out or (`act=False`) before, until it is released."""
        return self.fault(Fault.HOLD, method=method, path=path, act=act)

    def release(self) -> None:
        """Let go everything that is stopped."""
        self.plan.release()

    def heal(self) -> None:
        """Forget all faults that were planned."""
        self.plan.clear()

    def chaos(self, *, seed: int | str, rate: float = 0.1, ways: Sequence[Way] = QUICK) -> None:
        """Let a share of all requests go wrong, by `seed`, until healed; without `ways` only writes, and at once."""
        self.plan.chaos = Chaos(rate=rate, seed=seed, ways=ways)

    def lose(self, path: str) -> None:
        """The record at `/posts/1` is gone, and all that hung under it; `lost` has their paths."""
        collection, key = path.strip("/").split("/")
        self.lost |= self.store.lose(collection, int(key))

    def page(self, size: int, *, address: bool = False) -> None:
        """From now on lists come in pages; see `Paging`."""
        self.api.paging = Paging(size, address)

    def speak(self, dialect: Dialect) -> Speaker:
        """From now on it speaks this dialect."""
        self.api = speaker = Speaker(self.store, dialect)
        return speaker

    def gateway(self, **answer: Any) -> Rule:
        """Until healed, everything is answered by a gateway whose service is away; the keywords are `Rule`'s."""
        kind = Fault.STATUS if "status" in answer else Fault.HTML
        return self.fault(kind, times=None, act=False, **answer)

    def require(self, auth: Auth) -> None:
        """From now on only those who sign in by `auth` are served."""
        self.api.auth = auth

    def honor_keys(self, seconds: float | None = None) -> None:
        """From now on a POST is answered as it was the first time to who sends its Idempotency-Key again."""
        self.api.keys = Keys(seconds)

    # --- for the handler ---------------------------------------------------------------------------------------------
    def is_sign_in(self, path: str) -> bool:
        auth = self.api.auth
        return isinstance(auth, Tokens) and path in (auth.path, f"{auth.path}refresh/")

    def answer(self, call: Call) -> Answer:
        auth = self.api.auth
        given = auth.answer(call) if isinstance(auth, Tokens) else None
        return given or self.api.answer(call, self.url)
