import dataclasses
import json
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError, CommandParser

from syncer.configure import Change, ConfigurationError, configure


class Command(BaseCommand):
    help = "Make targets and routes what a TOML file says, all or nothing; docs/configuring.md has the format."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE.toml")
        parser.add_argument("--check", action="store_true", help="Report what would change and write nothing.")
        parser.add_argument("--json", action="store_true", help="Answer as JSON.")

    def handle(self, *, file: Path, check: bool, **options: object) -> None:
        try:
            report = configure(file, check=check)
        except ConfigurationError as error:
            if options["json"]:
                faults = [{"file": str(file), **dataclasses.asdict(fault)} for fault in error.faults]
                self.stdout.write(json.dumps({"ok": False, "written": False, "faults": faults}, indent=2))
            lines = [f"{file}: {fault}" for fault in error.faults]
            raise CommandError("\n".join([f"{error} in {file}; nothing was written", *lines])) from error
        if options["json"]:
            answer = {"ok": True, "written": not check, **dataclasses.asdict(report)}
            self.stdout.write(json.dumps(answer, indent=2))
        else:
            heading = ["Nothing is written (--check). It would be:"] if check else []
            lines = [line for change in report.changes for line in (line_of(change), change.effects) if line]
            self.stdout.write("\n".join([*heading, *lines, *report.notes]))


def line_of(change: Change) -> str:
    """Return a change as text: `fakeapi news.Post: changed (path: '/a' → '/b')`."""
    name = f"{change.target} {change.route}" if change.route else change.target
    if change.outcome == "changed":
        columns = (f"{column}: {old!r} → {new!r}" for column, (old, new) in change.columns.items())
        return f"{name}: changed ({', '.join(columns)})"
    if change.outcome == "disabled":
        return f"{name}: disabled, for the file has no route for it; what the target holds stays known"
    return f"{name}: {change.outcome}"
