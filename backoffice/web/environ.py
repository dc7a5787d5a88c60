"""A request as WSGI describes it (PEP 3333), from what ASGI says of it."""

import sys
from io import BytesIO
from typing import Any
from urllib.parse import unquote_to_bytes
from wsgiref.util import FileWrapper

from asgiref.typing import HTTPScope

Environ = dict[str, Any]
BLOCK = 256 * 1024  # bytes of a file that are sent at a time
PLAIN = {"content-type": "CONTENT_TYPE", "content-length": "CONTENT_LENGTH"}


def to_environ(scope: HTTPScope) -> Environ:
    """Return the environment of a request, without its body."""
    host, port = scope["server"] or ("", 80)
    environ: Environ = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": (scope["client"] or ("", 0))[0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": lambda file, _size: FileWrapper(file, BLOCK),
    }
    for name, value in scope["headers"]:
        _add(environ, name.decode("latin-1"), value.decode("latin-1"))
    return environ


def _add(environ: Environ, name: str, value: str) -> None:
    """Add a header; of several with the same name, all in one."""
    if "_" in name:  # X_Forwarded_For would pass for X-Forwarded-For, which a proxy sets
        return
    key = PLAIN.get(name) or f"HTTP_{name.upper().replace('-', '_')}"
    separator = "; " if name == "cookie" else ","
    environ[key] = f"{environ[key]}{separator}{value}" if key in environ else value
