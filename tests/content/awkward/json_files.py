"""JSON as programs on Windows, databases and log writers make it."""

import codecs
import json

RECORDS = [{"title": "Grüße", "body": "{B}"}, {"title": "U", "body": "two\nlines"}]


def utf_8_with_bom() -> bytes:
    return json.dumps(RECORDS, ensure_ascii=False).encode("utf-8-sig")


def utf_16_from_windows() -> bytes:
    return codecs.BOM_UTF16_LE + json.dumps(RECORDS, ensure_ascii=False, indent=2).encode("utf-16-le")


def one_object_a_line() -> bytes:
    return "\r\n".join(json.dumps(record) for record in RECORDS).encode() + b"\r\n\r\n"


def objects_of_several_lines() -> bytes:
    return "\n".join(json.dumps(record, indent=2) for record in RECORDS).encode()


def labels_as_keys() -> bytes:
    return json.dumps([{"Title": record["title"], "BODY": record["body"]} for record in RECORDS]).encode()


def a_line_that_is_cut() -> bytes:
    return one_object_a_line().rstrip()[:-5]


def lines_of_texts() -> bytes:
    return b'{"title": "T", "body": "B"}\n"U"\n'


def windows_1252() -> bytes:
    return json.dumps(RECORDS, ensure_ascii=False).encode("cp1252")


def a_text_alone() -> bytes:
    return b'"title"'
