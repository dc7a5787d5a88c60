from typing import Any

from django.core.management.base import CommandError

from syncer.management.base import JsonObject, SyncCommand
from syncer.targets.base import kind_of
from syncer.targets.previews import Finding


class Command(SyncCommand):
    help = (
        "Try a target: sign in, list one page of each route, show one object as the request it would become. Writes "
        "nothing. Exit status 0: nothing looks wrong."
    )

    def answer(self, **options: Any) -> tuple[JsonObject, bool]:
        target = self.target(options["target"])
        trial = kind_of(target).trial(target)
        if trial is None:
            raise CommandError(f"{target.name} can't be tried so. For another back office there is sync_pair.")
        answer = {
            "target": target.name,
            "findings": [_as_json(finding) for finding in trial.findings],
            "routes": [
                {
                    "model": one.route.model,
                    "findings": [_as_json(finding) for finding in one.findings],
                    "object": one.name or None,
                    "request": one.request or None,
                    "record": one.record or None,
                }
                for one in trial.routes
            ],
        }
        return answer, trial.looks_wrong

    def text(self, answer: JsonObject) -> str:
        lines = [_line(finding) for finding in answer["findings"]]
        for route in answer["routes"]:
            lines += ["", route["model"], *(_line(finding) for finding in route["findings"])]
            if route["request"]:
                lines += [f"  {route['object']} would be sent as:", _indented(route["request"])]
            if route["record"]:
                lines += ["  The first record that it lists:", _indented(route["record"])]
        return "\n".join(lines).strip()


def _as_json(finding: Finding) -> JsonObject:
    return {"severity": finding.severity.value, "text": finding.text, "column": finding.column or None}


def _line(finding: JsonObject) -> str:
    return f"  {finding['severity']}: {finding['text']}"


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())
