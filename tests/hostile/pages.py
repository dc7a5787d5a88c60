"""Addresses and forms of pages as no browser sends them, each with the status of its answer."""

from dataclasses import dataclass

from tests.hostile.cases import HARMLESS, HIDDEN, REFUSED

FORM, PARTS = "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"
ADD = "/admin/news/post/add/"


@dataclass(frozen=True)
class Visit:
    """A page that is asked for, or a form that is sent there; `says` are words of the answer, or of where it leads."""

    status: int
    path: str
    says: str = ""
    body: bytes | None = None
    kind: str = FORM

    @property
    def outcome(self) -> str:
        return {200: REFUSED if self.says else HARMLESS, 302: HIDDEN, 404: HIDDEN}.get(self.status, REFUSED)


def absent(path: str) -> Visit:
    return Visit(404, path, "There is nothing here")


def no_object(path: str) -> Visit:
    """Django leads to the first page, which says that the object does not exist."""
    return Visit(302, path, "doesn’t exist")  # noqa: RUF001 - as Django writes it


def refused(path: str, says: str = "This request can&#x27;t be understood|This request can't be understood") -> Visit:
    return Visit(400, path, says)


POSTS = "/admin/news/post/"
AUTOCOMPLETE = "/admin/autocomplete/?app_label={}&model_name={}&field_name={}&term={}"

ADDRESSES = {
    "a key with a null": no_object(f"{POSTS}%00/change/"),
    "a key that no column holds": no_object(f"{POSTS}{'9' * 30}/change/"),
    "a key that is not UTF-8": no_object(f"{POSTS}%ff/change/"),
    "a folder above": no_object(f"{POSTS}..%2f/change/"),
    "a key that is no UUID": no_object("/admin/orders/order/%00/change/"),
    "a target with a null": no_object("/admin/syncer/target/%00/change/"),
    "a version with a null": absent(f"{POSTS}1/history/%00/"),
    "an import that is none": absent("/admin/content/import/%00/change/"),
    "a header": absent("/admin/%0d%0aSet-Cookie:a=b/"),
    "a null": absent("/%00"),
    "a file of the system": absent("/static/%2e%2e/%2e%2e/etc/passwd"),
    "a page below the first": Visit(200, f"{POSTS}?p=-1"),
    "a page of ten digits": Visit(200, f"{POSTS}?p={'9' * 20}"),
    "an order of no column": Visit(200, f"{POSTS}?o=99.-99.x"),
    "a search for a null": Visit(200, f"{POSTS}?q=%00"),
    "a search that is not UTF-8": refused(f"{POSTS}?q=%ff", "not UTF-8"),
    "a filter that is not UTF-8": refused("/admin/syncer/binding/?state=%C0%AF", "not UTF-8"),
    "a filter by a secret": refused("/admin/palettes/membership/?user__password__startswith=a"),
    "a filter with a null": refused(f"{POSTS}?id__in=%00"),
    "a key of another field": refused(f"{POSTS}?_to_field=password"),
    "a day that is none": refused("/admin/audit/entry/?at__day=99"),
    "a time with a null": refused("/admin/messaging/message/?sent_at__gte=%00"),
    "a choice of a field that is none": Visit(
        403, AUTOCOMPLETE.format("accounts", "user", "password", "a"), "You may not do this"
    ),
    "a choice of a model with a null": Visit(403, AUTOCOMPLETE.format("%00", "x", "y", "a"), "You may not do this"),
    "another site after the sign-in": Visit(302, "/admin/login/?next=//evil.example", "/admin/"),
}


def form(body: bytes, says: str, *, status: int = 200, kind: str = FORM, path: str = ADD) -> Visit:
    return Visit(status, path, says, body, kind)


GOOD = b"title=T&body=B&user_id=1&"
NONE = b"&comments-INITIAL_FORMS=0&comments-TOTAL_FORMS="


def part(name: bytes, value: bytes, more: bytes = b"") -> bytes:
    return b'--x\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n' % (name, more, value)


FORMS = {
    "nothing": form(b"", "ManagementForm|This field is required"),
    "bytes that are not UTF-8": form(GOOD + b"title=%ff" + NONE + b"0", "not UTF-8", status=400),
    "raw bytes that are not UTF-8": form(b"title=Gr\xfcn&body=B" + NONE + b"0", "not UTF-8", status=400),
    "ten thousand fields": form(b"a=1&" * 10_001, "can.{1,6}t be understood", status=400),
    "a form of 3 MB": form(b"title=" + b"x" * 2_700_000, "too much at once", status=413),
    "rows that are a text": form(GOOD + NONE + b"x", "ManagementForm"),
    "a billion rows": form(GOOD + NONE + b"1000000000", "at most 100 forms"),
    "a billion rows that were there": form(
        GOOD + b"comments-INITIAL_FORMS=1000000000&comments-TOTAL_FORMS=1", "Please correct|do not have permission"
    ),
    "rows that are not there": form(GOOD + b"comments-INITIAL_FORMS=5&comments-TOTAL_FORMS=5", "Please correct"),
    "parts without an end": form(part(b"title", b"T"), "ManagementForm|required", kind=PARTS),
    "parts that are not UTF-8": form(part(b"title", b"\xff") + b"--x--", "not UTF-8", status=400, kind=PARTS),
    "parts in a character set that is no text": form(
        part(b"title", b"T") + b"--x--", "not UTF-8", status=400, kind=f"{PARTS}; charset=hex"
    ),
    "fields in another character set": form(
        b"title=%C3%BC", "not UTF-8|can.{1,6}t be understood", status=400, kind=f"{FORM}; charset=utf-7"
    ),
    "parts without a boundary": form(b"x", "can.{1,6}t be understood", status=400, kind="multipart/form-data"),
    "parts in Base64 that is none": form(
        part(b"title", b"!!!", b"\r\nContent-Transfer-Encoding: base64") + b"--x--",
        "This field is required",
        kind=PARTS,
    ),
    "a name of an account that is taken, in capitals": form(
        b"username=ADMINISTRATOR&usable_password=true&password1=Long-9912-x&password2=Long-9912-x",
        "already exists",
        path="/admin/accounts/user/add/",
    ),
    "a role that no column holds": form(
        b"username=new&usable_password=true&password1=Long-9912-x&password2=Long-9912-x&roles=" + b"9" * 30,
        "Select a valid choice",
        path="/admin/accounts/user/add/",
    ),
    "two hundred files": form(
        b"".join(part(b"f%d" % n, b"x", b'; filename="f"') for n in range(200)) + b"--x--",
        "can.{1,6}t be understood",
        status=400,
        kind=PARTS,
    ),
    "a file that is not one": form(
        b"format=0&import_file=x", "This field is required|no file", path="/admin/news/post/import/"
    ),
    "a format that is none": form(
        part(b"import_file", b"title\nT", b'; filename="a.csv"') + part(b"format", b"99") + b"--x--",
        "Select a valid choice",
        kind=PARTS,
        path="/admin/news/post/import/",
    ),
}
