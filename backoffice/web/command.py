"""How the web server is started, everywhere."""

import sys

OPTIONS = {
    "interface": "asgi",
    "loop": "asyncio",
    "http": "1",  # the time-out for heads does not cover HTTP/2, which proxies don't speak to what is behind them
    "http1-header-read-timeout": "30000",  # milliseconds, also of a connection that is kept and idle
    "http1-buffer-size": "32768",  # bytes of a connection; a head may be twice that
    "backlog": "2048",
    "backpressure": "4096",  # connections of one worker
    "workers-kill-timeout": "8",  # seconds; less than the 10 s that Docker gives
}


def words(*more: str) -> list[str]:
    """Return the command of the web server; of an option that is given twice, Granian takes the last."""
    options = [word for name, value in OPTIONS.items() for word in (f"--{name}", value)]
    switches = ["--no-ws", "--respawn-failed-workers"]
    return [sys.executable, "-m", "granian", *options, *switches, *more, "backoffice.web.app:application"]
