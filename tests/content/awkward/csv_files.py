"""CSV files as spreadsheet programs and databases write them, in the languages of western Europe and beyond."""

import codecs

ROWS = "title;body\r\nGrüße;Preis: 5 €\r\n"


def utf_8_with_semicolons() -> bytes:
    return ROWS.encode()


def utf_8_with_bom() -> bytes:
    return ROWS.encode("utf-8-sig")


def windows_1252_from_excel() -> bytes:
    return ROWS.encode("cp1252")


def unicode_text_from_excel() -> bytes:
    return codecs.BOM_UTF16_LE + ROWS.replace(";", "\t").encode("utf-16-le")


def utf_16_of_the_other_byte_order() -> bytes:
    return codecs.BOM_UTF16_BE + ROWS.encode("utf-16-be")


def utf_16_without_bom() -> bytes:
    return ROWS.encode("utf-16-le")


def windows_1252_that_is_utf_8_by_chance() -> bytes:
    return f"title;body\r\n„CAFÉ“;B\r\n{'Grüße;Größe' * 6}\r\n".encode("cp1252")


def vertical_bars_from_a_database() -> bytes:
    return b"title|body\nA, b; c|D\n"


def commas_with_semicolons_in_texts() -> bytes:
    return b'title,body\n"A; b; c",D; e\nF;,G;\n'


def sep_line_for_excel() -> bytes:
    return b"sep=;\r\ntitle;body\r\nT, u;B\r\n"


def sep_line_in_quotes() -> bytes:
    return b'"sep=|"\r\ntitle|body\r\nT|B\r\n'


def sep_line_of_a_tab_with_bom() -> bytes:
    return b"sep=\t\ntitle\tbody\nT\tB\n".decode().encode("utf-8-sig")


def quotes_as_excel_writes_them() -> bytes:
    return b'title;body\r\n"say ""hi""; twice";"two\nlines"\r\n5" pipe;B\r\n'


def lines_of_an_old_mac() -> bytes:
    return b"title,body\rT,B\rU,C\r"


def lines_of_unix_without_an_end() -> bytes:
    return b"title,body\nT,B\nU,C"


def blank_columns_and_rows_at_the_end() -> bytes:
    return b"title;body;;;\r\nT;B;;;\r\nU;C\r\n;;;;\r\n\r\n;\r\n"


def blank_rows_before_the_headings() -> bytes:
    return b"\r\n;;\r\ntitle;body;\r\nT;B;\r\n"


def labels_as_headings() -> bytes:
    return b" Title ,BODY,User ID\nT,B,7\n"


def the_same_column_by_two_names() -> bytes:
    return b"Title,title ,body\nT,U,B\n"


def a_row_too_wide_and_one_too_narrow() -> bytes:
    return b"title,body\nT,B\nU,C, d\nV\n"


def one_damaged_byte_far_down() -> bytes:
    return b"title,body\n" + "Grüße,B\n".encode() * 3_000 + b"Gr\xfc\xdfe,B\n" + "Grüße,B\n".encode() * 3_000


def a_byte_that_no_encoding_has() -> bytes:
    return b"title,body\nT,B\x81\n"


def a_quote_that_never_ends() -> bytes:
    return b'title,body\nT,B\nU,"C\n' + b"V,D\n" * 10


def no_line_break_at_all() -> bytes:
    return b"title," * 1_000_000


def a_workbook_named_csv() -> bytes:
    return b"PK\x03\x04" + bytes(100)


def an_old_workbook_named_csv() -> bytes:
    return bytes.fromhex("d0cf11e0a1b11ae1") + bytes(100)


def nothing() -> bytes:
    return b""


def blank_rows_alone() -> bytes:
    return b"\xef\xbb\xbf\r\n,,,\r\n"
