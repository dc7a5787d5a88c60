"""Conditional requests (RFC 9110, section 13): an `ETag` names one version of one object in one shape.

"1042-1"           version 1042 of the history, version 1 of the API
"1042-1-3f2a9c01"  the same, limited to some columns (`fields=`)
"""

import re
import zlib
from collections.abc import Mapping

from django.http import HttpRequest, HttpResponse
from django.utils.http import parse_etags

from backoffice.kit.api.problems import ProblemError
from backoffice.kit.api.responses import empty_response, json_response
from backoffice.kit.api.versions import version_of

OURS = re.compile(r'"([0-9]{1,19})-[0-9]+(?:-[0-9a-f]{8})?"')  # a number of more digits is refused by int()
ANY = ["*"]


def response(request: HttpRequest, row: Mapping[str, object], version: int, *, fields: str = "") -> HttpResponse:
    """Return an object as JSON with its `ETag`; 304 to a GET if the client has this version already.

    Args:
        version: the number of the object's newest history row; 0 if it has none.
        fields: the columns of `row`, as the request named them; empty for all.
    """
    shape = f"-{zlib.crc32(fields.encode()):08x}" if fields else ""
    tag = f'"{version}-{version_of(request)}{shape}"'
    if request.method == "GET":
        # By weak comparison, as RFC 9110, section 13.1.2, requires.
        known = parse_etags(request.headers.get("If-None-Match", ""))
        if known == ANY or tag in (known_tag.removeprefix("W/") for known_tag in known):
            return empty_response(304, ETag=tag)
    return json_response(row, headers={"ETag": tag})


def is_guarded(request: HttpRequest) -> bool:
    """Return whether the write has a condition on the stored version."""
    return "If-Match" in request.headers or "If-None-Match" in request.headers


def check(request: HttpRequest, version: int | None) -> None:
    """Refuse a write that was meant for another version. Call it with the row locked.

    The tag's shape is ignored: the version is the same whichever columns were read.

    Args:
        version: the stored version; None if the object does not exist.

    Raises:
        ProblemError: 412, with the cure.
    """
    wanted = parse_etags(request.headers.get("If-Match", ""))
    if "If-Match" in request.headers and not _matches(wanted, version):
        raise ProblemError(412, "It is not the version that If-Match names: somebody changed it. Read it again.")
    unwanted = parse_etags(request.headers.get("If-None-Match", ""))
    if "If-None-Match" in request.headers and _matches([tag.removeprefix("W/") for tag in unwanted], version):
        raise ProblemError(412, "If-None-Match forbids the version that is there.")


def _matches(tags: list[str], version: int | None) -> bool:
    if version is None:
        return False
    return tags == ANY or version in (int(match[1]) for tag in tags if (match := OURS.fullmatch(tag)))
