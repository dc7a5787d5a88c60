"""Requests that no well-behaved client sends, each with the status and words of its answer."""

import gzip
from dataclasses import dataclass, field
from json import dumps

from tests.hostile.cases import HARMLESS, HIDDEN, KEPT, REFUSED

GOOD = b'{"title":"T","body":"B"}'
POSTS, JSON = "/api/news/posts/", "application/json"


@dataclass(frozen=True)
class Ask:
    """A request; `says` are words of its answer. Where nothing is said, the request is taken for what it is without."""

    status: int
    says: str = ""
    method: str = "GET"
    path: str = POSTS
    body: bytes = b""
    kind: str = JSON
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def outcome(self) -> str:
        if self.status in (404, 405):
            return HIDDEN
        return REFUSED if self.says else KEPT if self.status == 201 else HARMLESS


def body(data: bytes | str, says: str = "", *, status: int = 422, kind: str = JSON, **headers: str) -> Ask:
    data = data.encode() if isinstance(data, str) else data
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    return Ask(status if says else 201, says, "POST", POSTS, data, kind, headers)


def broken(data: bytes | str, says: str = "The body is not JSON that can be taken: ") -> Ask:
    return body(data, says, status=400)


def number(text: str) -> Ask:
    return body(f'{{"title":"T","body":"B","user_id":{text}}}', "user_id: Input should be a valid integer")


def key(name: str) -> Ask:
    return body(dumps({name: 1, "title": "T", "body": "B"}), f"{name}: Extra inputs are not permitted")


BODIES = {
    "nothing": body(b"", "must be a JSON object"),
    "the beginning": broken(b'{"title":"T"', "unexpected end"),
    "something after the end": broken(GOOD + b" x"),
    "two objects": broken(GOOD + GOOD),
    "a comment": broken(b"/* */" + GOOD),
    "single quotes": broken(b"{'title':'T'}"),
    "a hundred thousand brackets": broken(b'{"title":' + b"[" * 100_000),
    "a thousand brackets, closed": body(b"[" * 900 + b"]" * 900, "JSON object|nested too deeply", status=0),
    "a list": body(b"[" + GOOD + b"]", "must be a JSON object"),
    "a text": body(b'"title"', "must be a JSON object"),
    "null": body(b"null", "must be a JSON object"),
    "UTF-16": broken(GOOD.decode().encode("utf-16")),
    "Latin-1": broken('{"title":"Gr\xfcn","body":"B"}'.encode("latin-1")),
    "a byte order mark": broken(b"\xef\xbb\xbf" + GOOD),
    "an overlong slash": broken(b'{"title":"\xc0\xaf","body":"B"}'),
    "a line break in a text": broken(b'{"title":"a\nb","body":"B"}'),
    "an escape that is none": broken(b'{"title":"\\x41","body":"B"}'),
    "not a number": broken(b'{"title":"T","body":"B","user_id":NaN}'),
    "infinity": broken(b'{"title":"T","body":"B","user_id":1e999}'),
    "five thousand digits": broken(b'{"title":"T","body":"B","user_id":' + b"9" * 5000 + b"}"),
    "a name twice": broken(b'{"title":"T","title":"U","body":"B"}', "“title” occurs twice"),
    "twenty thousand names, one of them twice": broken(
        b"{" + b"".join(b'"n%d":1,' % n for n in range(20_000)) + b'"n19999":1}', "“n19999” occurs twice"
    ),
    "a name twice, once escaped": broken(b'{"title":"T","ti\\u0074le":"U","body":"B"}', "“title” occurs twice"),
    "a fraction": number("1.5"),
    "a whole number as a fraction": number("1.0"),
    "a truth value": number("true"),
    "a number as a text": number('"5"'),
    "a number that no column holds": body('{"title":"T","body":"B","user_id":2147483648}', "less than or equal to"),
    "null for a text": body(b'{"title":null,"body":"B"}', "title: Input should be a valid string"),
    "an operator for a text": body(b'{"title":{"$ne":1},"body":"B"}', "title: Input should be a valid string"),
    "a list for a text": body(b'{"title":["T"],"body":"B"}', "title: Input should be a valid string"),
    "a name with a letter that looks alike": key("t\u0456tle"),
    "a name in capitals": key("Title"),
    "a name with a space without width": key("title\u200b"),
    "a name of a prototype": key("__proto__"),
    "the key": key("id"),
    "the state of the object": key("_state"),
    "what makes a superuser": key("is_superuser"),
    "the author in the history": key("history_user"),
    "fifty thousand names": body(dumps(dict.fromkeys(map(str, range(50_000)), 1)), "There are 49902 more errors"),
    "a form": body(b"title=T&body=B", "application/json", status=415, kind="application/x-www-form-urlencoded"),
    "plain text": body(GOOD, "application/json", status=415, kind="text/plain"),
    "a type with a null": body(GOOD, "application/json", status=415, kind="application/json\0"),
    "gzip": body(gzip.compress(GOOD), "without Content-Encoding", status=415, Content_Encoding="gzip"),
    "gzip that nobody named": broken(gzip.compress(GOOD)),
    "an encoding that nobody knows": body(GOOD, "without Content-Encoding", status=415, Content_Encoding="x, gzip"),
    "another character set": body(GOOD, kind="application/json; charset=utf-16"),
    "a character set that is none": body(GOOD, kind="application/json; charset=klingon"),
}


def query(text: str, says: str = "", status: int = 422) -> Ask:
    return Ask(status if says else 200, says, path=f"{POSTS}?{text}")


def parameter(text: str) -> Ask:
    return query(text, "There is no such parameter; there are all, body, count")


PARAMETERS = {
    "a limit below 1": query("limit=0", "greater than or equal to 1"),
    "a limit of billions": query("limit=1000000000", "less than or equal to 500"),
    "a limit with an exponent": query("limit=1e2", "valid integer"),
    "a limit in Arabic digits": query("limit=%D9%A1", "valid integer"),
    "a limit with a header": query("limit=%0d%0aX:y", "valid integer"),
    "a limit twice": query("limit=1&limit=2", "given more than once"),
    "no cursor": query("cursor=", "not a cursor"),
    "a cursor with a null": query("cursor=%00", "not a cursor"),
    "a long cursor": query("cursor=" + "A" * 5000, "not a cursor"),
    "a cursor of our own making": query("cursor=eyJhIjoxfQ==", "not a cursor"),
    "an order of a secret": query("sort=user__password", "should match pattern"),
    "an order with a statement": query("sort=title;drop", "should match pattern"),
    "a column of Python": query("fields=id,__dict__", "should match pattern"),
    "a search of two hundred words": query("search=" + "a%20" * 200, "at most 256"),
    "a search for a null": query("search=%00", "Null characters"),
    "a search with patterns": query("search=%25_%5C"),
    "a filter for a null": query("title=%00", "Null characters"),
    "a filter that is not UTF-8": query("title=%FF%FE", "not UTF-8", 400),
    "a filter of half a character": query("title=%ED%A0%80", "not UTF-8", 400),
    "a filter with an overlong slash": query("title=%C0%AF", "not UTF-8", 400),
    "a number that no column holds": query("user_id=2147483648", "less than or equal to"),
    "a regular expression": parameter("title__regex=(a%2B)%2B%24"),
    "the history": parameter("history__id=1"),
    "a parameter of PHP": parameter("limit[$gt]=1"),
    "a null as a name": parameter("%00=1"),
    "two thousand parameters": parameter("x=1&" * 2000),
    "a truth value that is none": query("all=maybe", "valid boolean"),
}


def absent(path: str) -> Ask:
    return Ask(404, "There is no", path=path) if "99999" in path else Ask(404, "There is nothing at this", path=path)


ADDRESSES = {
    "a folder above": absent(f"{POSTS}..%2f..%2f"),
    "a folder above, encoded twice": absent(f"{POSTS}%252e%252e/"),
    "a null": absent(f"{POSTS}1%00/"),
    "a header": absent(f"{POSTS}1%0d%0aX:y/"),
    "a byte that is not UTF-8": absent(f"{POSTS}%ff/"),
    "an Arabic digit": absent(f"{POSTS}%D9%A1/"),
    "a key below zero": absent(f"{POSTS}-1/"),
    "a key that no column holds": absent(f"{POSTS}{'9' * 30}/"),
    "a key of five thousand digits": Ask(404, "There is nothing at this", path=f"{POSTS}{'9' * 5000}/"),
    "a parameter of a path": absent(f"{POSTS};x=1/"),
    "another host": absent("//evil.example/api/"),
    "a key that is no UUID": absent("/api/orders/not-a-uuid/"),
    "a UUID in brackets": absent("/api/orders/%7b00000000-0000-0000-0000-000000000000%7d/"),
    "a member with a null": Ask(404, "has no member|There is no team", path="/api/palettes/teams/1/members/%00/"),
    "a statement": absent("/api/palettes/teams/1%20or%201=1/"),
    "a version that is none": absent("/api/v99/news/posts/"),
    "a target that is a path": absent("/api/sync/targets/..%2f/deletes/"),
}


def head(name: str, value: str, says: str = "", status: int = 400) -> Ask:
    return Ask(status if says else 201, says, "POST", POSTS, GOOD, headers={name: value})


def signs_in_nobody(value: str) -> Ask:
    return head("Authorization", value, "Sign in", 401)


HEADERS = {
    "an empty key": head("Idempotency-Key", "", "1 to 255 printable"),
    "a key of 300 letters": head("Idempotency-Key", "x" * 300, "1 to 255 printable"),
    "a key with a null": head("Idempotency-Key", "a\0b", "1 to 255 printable"),
    "a key with a header": head("Idempotency-Key", "\r\nX: y", "1 to 255 printable"),
    "a key beyond ASCII": head("Idempotency-Key", "é", "1 to 255 printable"),
    "a token of nothing": signs_in_nobody("Bearer "),
    "a token without a signature": signs_in_nobody("Bearer eyJhbGciOiJub25lIn0.e30."),
    "a token of 9,000 letters": signs_in_nobody("Bearer " + "x" * 9000),
    "a key that was never made": signs_in_nobody("Bearer bo_x_y"),
    "Basic that is not Base64": signs_in_nobody("Basic !!!"),
    "Basic that is not UTF-8": signs_in_nobody("Basic /////w=="),
    "Basic with a null": signs_in_nobody("Basic YQBiOmM="),
    "a way that is none": signs_in_nobody("Digest x"),
    "a reason with a null": head("X-Change-Reason", "\0", "printable characters", 422),
    "a reason with a header": head("X-Change-Reason", "a\r\nb", "printable characters", 422),
    "a reason that is not UTF-8": head("X-Change-Reason", "%ff", "printable characters", 422),
    "a reason of 100,000 letters": head("X-Change-Reason", "x" * 100_000, "at most 100", 422),
    "a type that nobody writes": head("Accept", "application/xml", "Accept one of these", 406),
    "5,000 commas": head("Accept", "," * 5000, "Accept one of these", 406),
    "another host": head("Host", "evil.example", "can't be understood"),
    "a host with a null": head("Host", "localhost\0", "can't be understood"),
    "two hosts": head("Host", "localhost, evil.example", "can't be understood"),
    "an id with a header": head("X-Request-ID", "a\r\nb"),
    "a language that is a path": head("Accept-Language", "../../etc/passwd"),
    "a session that is a path": head("Cookie", "test_session=../../x"),
    "a cookie of nothing": head("Cookie", ";;;=;"),
    "another method": head("X-HTTP-Method-Override", "DELETE"),
    "another sender": head("X-Forwarded-For", "1.2.3.4, " * 1000),
}
