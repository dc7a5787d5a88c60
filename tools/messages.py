"""`make messages`: collect every text that people see into the catalogues, and compile them; `--check` changes nothing.

1. Copy our packages into a temporary folder, with the labels of their models written out as Python, and the texts that
   `locale/theme.txt` lists: of the theme, which brings no translations.
2. There, have Django's `makemessages` (GNU gettext) bring each catalogue up to date, and `msgfmt` compile it.
3. Copy the catalogues back; or, to check, compare them, and name what is not translated.

A node needs no gettext: the compiled catalogues are committed too. See docs/translating.md.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import django

from tools.nodes import ROOT

LANGUAGES = ("de", "fr")
ALIAS = re.compile(r"\b(n?p?gettext(?:_lazy)?) as (?!_\b)(\w+)")
PHRASES = (("gettext_noop", "phrase"), ("ngettext", "counted"))  # by which of gettext's functions their texts are found
HEADER = re.compile(r'\A(?:#.*\n)*msgid ""\nmsgstr ""\n(?:".*"\n)*')
KEPT_IN_HEADER = re.compile(r'^"(?:MIME-Version|Content-|Plural-Forms).*\n', re.MULTILINE)
COPIED = {".py", ".html", ".txt", ".po"}
NEEDED = ("xgettext", "msgmerge", "msgattrib", "msgfmt")


class RefusedError(Exception):
    """The catalogues can't be made, or are not as they should be."""


def main() -> int:
    if missing := [name for name in NEEDED if shutil.which(name) is None]:
        print(f"There is no {', '.join(missing)}: install GNU gettext (Debian: apt-get install gettext).")
        return 1
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "backoffice.settings")
    django.setup()
    from backoffice.kit.labels import labels  # needs the settings

    faults: list[str] = []
    with tempfile.TemporaryDirectory(prefix="messages-") as folder:
        for package, texts in labels.items():
            made = Path(folder) / package
            copy_sources(ROOT / package, made)
            texts |= theme_texts(ROOT / package)
            (made / "other_texts.py").write_text("".join(f"gettext({text!r})\n" for text in sorted(texts)))
            for language in LANGUAGES:
                file = catalogue(made, language)
                kept = catalogue(ROOT / package, language)
                faults += bring_up_to_date(file, kept, check="--check" in sys.argv)
    print(*faults, sep="\n", end="\n" if faults else "")
    return bool(faults)


def theme_texts(package: Path) -> set[str]:
    file = package / "locale" / "theme.txt"
    return {*file.read_text().splitlines()} if file.exists() else set()


def bring_up_to_date(file: Path, kept: Path, *, check: bool) -> list[str]:
    """Compile the catalogue, and put it in the place of the one that is kept; return what is wrong, a line each."""
    faults = list(untranslated(file, kept))
    try:
        compile_messages(file)
    except RefusedError as refusal:
        return [*faults, str(refusal)]
    if not check:
        copy_back(file, kept)
    elif changed(file, kept):
        faults.append(f"{kept.relative_to(ROOT)} is not fresh: run make messages.")
    return faults


def copy_sources(package: Path, to: Path) -> None:
    """Copy the texts of a package, and nothing that was generated."""
    for path in sorted(package.rglob("*")):
        if path.suffix in COPIED and "migrations" not in path.parts:
            copy = to / path.relative_to(package)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(without_aliases(path.read_text()))


def without_aliases(source: str) -> str:
    """Return the source with calls by the functions' own names, or `_`: by these gettext finds the texts."""
    for name, alias in (*PHRASES, *ALIAS.findall(source)):
        source = re.sub(rf"\b{alias}\(", f"{name}(", source)
    return source


def catalogue(package: Path, language: str) -> Path:
    """Bring the catalogue of the package's copy up to date, or only name that of the package itself."""
    file = package / "locale" / language / "LC_MESSAGES" / "django.po"
    if ROOT not in package.parents:
        (package / "locale").mkdir(exist_ok=True)
        words = ["makemessages", f"--locale={language}", "--no-obsolete", "--add-location=file", "--verbosity=0"]
        environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
        run(sys.executable, "-m", "django", *words, cwd=package, env=environment)
        text = file.read_text().replace("#: other_texts.py", "#: labels of models, or the theme")
        file.write_text(HEADER.sub(lambda header: plain_header(header[0], language), text, count=1))
    return file


def plain_header(header: str, language: str) -> str:
    """Return a catalogue's header without what differs from one making to the next, or waits for a person."""
    lines = [f'"Language: {language}\\n"\n', *KEPT_IN_HEADER.findall(header)]
    return f'msgid ""\nmsgstr ""\n{"".join(lines)}'


def compile_messages(file: Path) -> None:
    """Compile the catalogue. A translation that lacks a placeholder of its text is refused."""
    run("msgfmt", "--check-format", "--no-hash", f"--output-file={file.with_suffix('.mo')}", str(file))


def untranslated(file: Path, kept: Path) -> Iterator[str]:
    """Yield a line for each text without a translation that a person has looked at."""
    for kind in ("--untranslated", "--only-fuzzy"):
        found = run("msgattrib", kind, "--no-obsolete", "--no-wrap", str(file))
        for text in re.findall(r'^msgid ((?:".*"\n)+)', found, re.MULTILINE):
            if text.strip() != '""':
                yield f"{kept.relative_to(ROOT)}: {kind.rpartition('-')[2]}: {text.strip()}"


def changed(file: Path, kept: Path) -> bool:
    if not kept.exists() or file.read_text() != kept.read_text():
        return True
    run("msgfmt", "--no-hash", f"--output-file={file.with_suffix('.kept')}", str(kept))
    mo = kept.with_suffix(".mo")
    return not mo.exists() or mo.read_bytes() != file.with_suffix(".kept").read_bytes()


def copy_back(file: Path, kept: Path) -> None:
    """Replace the catalogue where it changed, and compile it."""
    if changed(file, kept):
        kept.parent.mkdir(parents=True, exist_ok=True)
        for suffix in (".po", ".mo"):
            shutil.copy(file.with_suffix(suffix), kept.with_suffix(suffix))


def run(*words: str, cwd: Path = ROOT, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(words, cwd=cwd, env=env, capture_output=True, text=True)
    if done.returncode:
        raise RefusedError(f"{words[0]} failed: {done.stderr.strip()}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
