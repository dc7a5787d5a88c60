"""Answers of Django's test client, shown in the browser: each page is made once, and any answer can be shown."""

from typing import Any, Self


class Replay:
    """Between a live server and the browser: gives it the answer that `open` was called with as the page."""

    def __init__(self, server: Any) -> None:
        self.server, self.made = server.thread.httpd, None
        self.application = self.server.get_app()

    def __enter__(self) -> Self:
        self.server.set_app(self)
        return self

    def __exit__(self, *_: object) -> None:
        self.server.set_app(self.application)

    def __call__(self, environ: dict[str, Any], start: Any) -> Any:
        if self.made is None or environ.get("HTTP_SEC_FETCH_DEST") != "document":
            return self.application(environ, start)
        start("200 OK", [*self.made.items()])  # any other status is an error in the console
        return [self.made.content]

    def open(self, page: Any, made: Any) -> str:
        """Show an answer where it was given, and return the path."""
        self.made, path, query = made, made.request["PATH_INFO"], made.request["QUERY_STRING"]
        page.goto(f"{path}?{query}" if query else path)
        return str(path)
