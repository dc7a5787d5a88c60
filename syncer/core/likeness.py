"""Whether a record that a target lists is the one that we sent, however the target spells it.

Servers trim texts, change case and Unicode form, escape them, write numbers and times in their own way. Two levels:

    equal     the same once every spelling is folded; such a record is ours
    similar   may be the same: cut short, stripped of markup or accents, a time without its zone; a person decides

Fields that a record does not show do not count. Pure, and without a database.
"""

import html
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import unquote

from syncer.core.answers import MISSING, Answers, at
from syncer.core.decide import Payload, Sought
from syncer.core.ids import id_text

NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")
TIME = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:?\d\d.*)?")
EPOCH = (10**8, 10**11)  # seconds between 1973 and 5138; a thousand times as many are milliseconds
TAG = re.compile(r"<[^>]*>")
INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
YES, NO = ("1", "true", "yes", "on"), ("0", "false", "no", "off")
WRAPPED = ("id", "_id", "value", "raw", "rendered")  # where an object has the value that was sent
CUT = 8  # letters; a longer text may have been cut short to as many
ESCAPES = 4  # levels
LETTERS = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ħ": "h", "æ": "ae", "œ": "oe", "þ": "th", "ð": "d", "\u0131": "i"}
)
SPELT_OUT = {"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe", "&": " and ", "+": " plus ", "@": " at "}
LONG = 20  # letters; a text of as many may have got others behind it
TORN = re.compile(r"(<[^>]*|&#?\w*)$")  # a tag or an escape in which a text was cut
ZONES = timedelta(hours=14)  # no zone is further from UTC


def is_equal(sent: Any, shown: Any) -> bool:
    """Return whether two JSON values are the same but for spelling."""
    return _compare(sent, shown, _spelled_alike)


def is_similar(sent: Any, shown: Any) -> bool:
    """Return whether `shown` may be what became of `sent` at a server that changes more than the spelling."""
    return _compare(sent, shown, _may_be_the_same)


def _compare(sent: Any, shown: Any, scalars: Callable[[Any, Any], bool]) -> bool:
    """Compare two JSON values level by level; `scalars` compares what is neither a list nor an object."""
    if sent in (None, "", [], {}) and shown in (None, "", [], {}):
        return True
    if isinstance(shown, dict) and not isinstance(sent, dict):
        return any(name in shown and _compare(sent, shown[name], scalars) for name in WRAPPED)
    if isinstance(sent, dict):
        return isinstance(shown, dict) and all(
            name not in shown or _compare(value, shown[name], scalars) for name, value in sent.items()
        )
    if isinstance(sent, list):
        return (
            isinstance(shown, list)
            and len(sent) == len(shown)
            and all(_compare(one, other, scalars) for one, other in zip(sent, shown, strict=True))
        )
    return not isinstance(shown, list) and scalars(sent, shown)


def _spelled_alike(sent: Any, shown: Any) -> bool:
    if folded(sent) == folded(shown):
        return True
    if isinstance(sent, bool):
        return folded(shown) in YES if sent else folded(shown) in NO
    first, second = _instant(sent), _instant(shown)
    return first is not None and second is not None and abs(first - second) < timedelta(seconds=1)


def _may_be_the_same(sent: Any, shown: Any) -> bool:
    if _spelled_alike(sent, shown):
        return True
    first, second = _instant(sent), _instant(shown)
    if first is not None and second is not None:
        apart = abs(first - second)
        quarter = apart % timedelta(minutes=15)
        is_shifted = min(quarter, timedelta(minutes=15) - quarter) < timedelta(seconds=1)
        return apart <= ZONES + timedelta(seconds=1) and is_shifted
    plain, other = letters(sent), letters(shown)
    if plain == other:
        return plain != "" or not (folded(sent) or folded(shown))
    if _in_fewer_letters(str(sent), folded(shown), other) or _is_rounded(folded(sent), folded(shown)):
        return True
    is_longer = len(plain) >= LONG and other.startswith(plain)
    return is_longer or _is_cut(plain, other) or _is_cut(plain, letters(TORN.sub("", str(shown))))


def _is_cut(whole: str, start: str) -> bool:
    """Return whether `start` may be what a server left of `whole`; "Newsletter 1" is not a part of "Newsletter 12"."""
    is_inside_number = start[-1:].isdigit() and whole[len(start) :][:1].isdigit()
    return len(start) >= CUT and whole.startswith(start) and not is_inside_number


def _in_fewer_letters(sent: str, shown: str, other: str) -> bool:
    """Return whether a server with fewer letters may keep `sent` so: spelt out, replaced by ?, cut before a wide one.

    Databases with a character set of three bytes cut texts before the first sign of four, an emoji.
    """
    spelt_out = "".join(SPELT_OUT.get(sign, sign) for sign in unicodedata.normalize("NFC", sent.casefold()))
    if letters(spelt_out) == other != "":
        return True
    if any(folded(sent.encode(charset, "replace").decode(charset)) == shown for charset in ("ascii", "latin-1")):
        return True
    wide = next((place for place, sign in enumerate(sent) if ord(sign) > 0xFFFF), None)
    return wide is not None and folded(sent[:wide]) == shown


def _is_rounded(sent: str, shown: str) -> bool:
    """Return whether a number may be another one with fewer decimals."""
    if not (NUMBER.fullmatch(sent) and NUMBER.fullmatch(shown)):
        return False
    exact, other = Decimal(sent), Decimal(shown)
    unit = Decimal(1).scaleb(int(other.as_tuple().exponent))
    return int(other.as_tuple().exponent) > int(exact.as_tuple().exponent) and abs(exact - other) < unit


def _unscrambled(text: str) -> str:
    """Return a text whose UTF-8 was read as another encoding, "Ã¼" for "ü", as it was."""
    for charset in ("latin-1", "cp1252"):
        with suppress(UnicodeError):
            return text if text.isascii() else text.encode(charset).decode()
    return text


def folded(value: Any) -> str:
    """Return a text that is equal for all spellings of a scalar: case, space, Unicode form, escapes, numbers."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return ""
    text, before = _unscrambled(str(value)).casefold(), ""
    for _ in range(ESCAPES):  # some servers escape what was escaped already
        before, text = text, unquote(html.unescape(text)).casefold()
        if text == before:
            break
    text = text.replace("\\'", "'").replace('\\"', '"').replace("\\\\", "\\")
    text = unicodedata.normalize("NFKC", INVISIBLE.sub("", text)).casefold()
    text = " ".join(unicodedata.normalize("NFKC", text).split())
    if NUMBER.fullmatch(text):
        number = Decimal(text).normalize(Context(prec=len(text)))  # as many digits as there are: nothing is rounded
        return str(number) if number else "0"
    return text


def letters(value: Any) -> str:
    """Return only the letters and digits of a scalar, without markup and accents."""
    text = unicodedata.normalize("NFKD", TAG.sub(" ", folded(value)).translate(LETTERS))
    return "".join(sign for sign in text if sign.isalnum())


def bucket(value: Any) -> str:
    """Return a text that is equal for all values that may be similar, so that records can be indexed by it."""
    if isinstance(value, dict):
        value = next((value[name] for name in WRAPPED if name in value), "")
    if isinstance(value, list) or _instant(value) is not None:
        return "time or list"
    text = letters(value)
    return "1" if text in YES else "0" if text in NO else text[:CUT]


def _instant(value: Any) -> datetime | None:
    """Return the instant that a text or a number (an epoch) names; a time without a zone counts as UTC."""
    if isinstance(value, bool) or value is None:
        return None
    text = str(value).strip()
    if NUMBER.fullmatch(text):
        number = float(text)
        for unit in (1, 1000):
            if EPOCH[0] <= number / unit < EPOCH[1]:
                return datetime.fromtimestamp(number / unit, UTC)
        return None
    try:
        if TIME.fullmatch(text):
            moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
        elif "," in text and ":" in text:
            moment = parsedate_to_datetime(text)
        else:
            return None
    except (ValueError, OverflowError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A listed record that may be the one in question.

    Attributes:
        remote_id: its encoded id.
        is_equal: whether it equals what was sent in every field that it shows.
        shown: those of its fields that the route sends.
    """

    remote_id: str
    is_equal: bool
    shown: Payload = field(default_factory=dict)


def search(
    records: Iterable[Mapping[str, Any]], sought: Sought, answers: Answers, *, taken: Collection[str] = ()
) -> list[Candidate]:
    """Return the listed records that may be the one in question, each once, sorted by their ids.

    A record of which no field of the lookup is shown can't be told apart, so that it is a candidate, not an equal one.

    Args:
        taken: the texts of the ids of records that belong to other objects; these are left out.
    """
    found: dict[str, Candidate] = {}
    for record in records:
        remote_id = answers.id_of(record)
        if remote_id is None or id_text(remote_id) in taken or answers.is_deleted(record):
            continue
        shown = {name: value for name in sought.body if (value := _shown(record, name, sought)) is not MISSING}
        by = [name for name in sought.lookup if name in shown]
        equal = bool(by) and (_is_shown(sought.body, shown) or _is_shown(sought.before or {}, shown))
        if equal or all(is_similar(sought.body[name], shown[name]) for name in by):
            found[id_text(remote_id)] = Candidate(remote_id=remote_id, is_equal=equal, shown=shown)
    return [found[key] for key in sorted(found)]


def _is_shown(body: Payload, shown: Payload) -> bool:
    """Return whether each field that a record shows equals what was sent in it."""
    return all(name in body and is_equal(body[name], value) for name, value in shown.items())


def decisive(candidates: Sequence[Candidate]) -> Candidate | None:
    """Return the only candidate that is equal; None where there is none, or several."""
    equal = [candidate for candidate in candidates if candidate.is_equal]
    return equal[0] if len(equal) == 1 else None


def _shown(record: Mapping[str, Any], name: str, sought: Sought) -> Any:
    """Return a record's value under the name that was sent or, if the route was renamed since, the present one."""
    value = at(record, name)
    return at(record, sought.renamed[name]) if value is MISSING and name in sought.renamed else value
