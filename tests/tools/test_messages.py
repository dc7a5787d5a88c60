"""`make messages` names what is not translated, or what a translation lost. Needs GNU gettext, as CI has it."""

import shutil

import pytest

from backoffice.kit.labels import labels
from tools import messages
from tools.nodes import ROOT

pytestmark = pytest.mark.skipif(shutil.which("xgettext") is None, reason="GNU gettext is not installed")
SOURCE = """
from django.utils.translation import gettext, ngettext
gettext("%(number)s of ours")
ngettext("one", "%(n)s many", 2)
"""
HEADER = (
    'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\nPlural-Forms: nplurals=2; plural=(n != 1);\\n"\n\n'
)


@pytest.fixture
def package(tmp_path):
    """The copy of a package with two texts, `catalogue` of which is written by the tests."""
    folder = tmp_path / "package"
    folder.mkdir()
    (folder / "texts.py").write_text(SOURCE)
    return folder


def written(package, text):
    file = package / "locale/de/LC_MESSAGES/django.po"
    file.parent.mkdir(parents=True)
    file.write_text(HEADER + text)
    return messages.catalogue(package, "de")


WHOLE = """msgid "%(number)s of ours"
msgstr "%(number)s von uns"

msgid "one"
msgid_plural "%(n)s many"
msgstr[0] "eins"
msgstr[1] "%(n)s viele"
"""


def faults(file):
    return [line.partition(": ")[2] for line in messages.untranslated(file, ROOT / "de.po")]


def test_a_whole_catalogue_has_no_faults(package):
    file = written(package, WHOLE)
    messages.compile_messages(file)
    assert faults(file) == []


def test_a_text_that_is_not_translated_is_named(package):
    assert faults(written(package, "")) == ['untranslated: "%(number)s of ours"', 'untranslated: "one"']


def test_a_plural_that_is_translated_in_part_is_named(package):
    assert faults(written(package, WHOLE.replace('"%(n)s viele"', '""'))) == ['fuzzy: "one"']


def test_a_guess_that_nobody_looked_at_is_named(package):
    assert faults(written(package, "#, fuzzy\n" + WHOLE)) == ['fuzzy: "%(number)s of ours"']


def test_a_lost_placeholder_is_refused(package):
    file = written(package, WHOLE)
    file.write_text(file.read_text().replace('"%(number)s von uns"', '"%(nummer)s von uns"'))
    with pytest.raises(messages.RefusedError, match="number"):
        messages.compile_messages(file)


def test_a_catalogue_that_was_not_made_again_is_noticed(package, tmp_path):
    file = written(package, WHOLE)
    messages.compile_messages(file)
    kept = tmp_path / "kept/django.po"
    assert messages.changed(file, kept)
    messages.copy_back(file, kept)
    assert not messages.changed(file, kept)
    kept.with_suffix(".mo").write_bytes(b"of yesterday")
    assert messages.changed(file, kept)
    messages.copy_back(file, kept)
    kept.write_text(kept.read_text().replace("eins", "zwei"))
    assert messages.changed(file, kept)


def test_labels_of_models_are_among_the_texts():
    assert {"post", "posts", "product name", "How many pieces, at least 1.", "Shipped", "Orders"} <= labels["content"]
    assert "email address" not in labels["backoffice"]  # Django's own, which Django translates


def test_texts_are_found_under_an_alias_too():
    source = "from django.utils.translation import gettext_lazy as lazy\nlazy('a text')"
    assert "gettext_lazy('a text')" in messages.without_aliases(source)
    assert messages.without_aliases("import gettext as _; _('a text')").endswith("_('a text')")
