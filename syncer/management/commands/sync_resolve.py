import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from syncer.core.ids import decode_id
from syncer.engine.runs import run_here
from syncer.management.base import JsonObject, SyncCommand
from syncer.models import Binding, Run, Target
from syncer.reports.doubt import Beside, Doubt, doubt_of
from syncer.targets.rest import REST, doubt
from syncer.targets.rest.doubt_many import Answer, asked_among, decide_all

MOST = 200  # objects that are listed
HINT = "Decide each: sync_resolve {target} OBJECT --arrived ID, or --not-arrived."


class Command(SyncCommand):
    help = (
        "Say of an object in doubt whether its record is there, and sync it. Without --arrived or --not-arrived: list "
        "what a person must decide, with what was sent. Exit status 0: nothing is left undone."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("object", nargs="?", help="such as news.Post:5")
        choice = parser.add_mutually_exclusive_group()
        choice.add_argument(
            "--arrived", metavar="ID", help='it is there, and this is its id: 5, or "5" in quotation marks'
        )
        choice.add_argument("--not-arrived", action="store_true", help="it is not there: create it again")
        choice.add_argument(
            "--only-match", action="store_true", help="with --all: the only possible match is the record"
        )
        parser.add_argument("--all", action="store_true", help="so it is of every object that can be decided so")
        parser.add_argument("--by", metavar="USER", help="who decided, for the admin's log")

    def answer(self, **options: Any) -> tuple[JsonObject, bool]:
        target, name, text = self.target(options["target"]), options["object"], options["arrived"]
        if target.kind != REST:
            raise CommandError(
                f"{target.name} is a peer: nothing is ever in doubt there, because whatever may not have arrived is "
                "sent again. If both ends edited the same field, decide in the admin, under Conflicts."
            )
        if options["all"] or options["only_match"]:
            return self._decide_all(target, options)
        binding = None if name is None else self._binding(target, name)
        if text is None and not options["not_arrived"]:
            return _listed(target, binding)
        if binding is None:
            raise CommandError("Name the object of which this is so, such as news.Post:5.")
        remote_id = None if text is None else doubt.as_id(route=binding.route, text=text)
        doubt.decide(binding=binding, remote_id=remote_id, user=self.user(options["by"]))
        run = run_here(target, scope={binding.route.model: [binding.object_key]})
        answer = {"target": target.name, "object": str(binding), "message": run.message, "counts": run.counts}
        return answer, run.state != Run.State.DONE

    def _decide_all(self, target: Target, options: JsonObject) -> tuple[JsonObject, bool]:
        """Give one answer for every object that it can be given for."""
        if options["object"] is not None or not options["all"] or options["not_arrived"] is options["only_match"]:
            raise CommandError("Give --all without an object, and --not-arrived or --only-match.")
        answer = Answer.NOT_THERE if options["not_arrived"] else Answer.ONLY_MATCH
        seen = asked_among(Binding.objects.filter(route__target=target), answer)
        acted = decide_all(seen, answer, user=self.user(options["by"]))
        run = run_here(target)
        left = [{"object": name, "why": why} for name, why in acted.refused]
        said = {"target": target.name, "decided": acted.done, "left": left, "message": run.message}
        return said | {"counts": run.counts}, bool(left) or run.state != Run.State.DONE

    def text(self, answer: JsonObject) -> str:
        if "decided" in answer:
            left = [f"{one['object']}: {one['why']}" for one in answer["left"]]
            return "\n".join([*left, f"Decided: {answer['decided']}. {answer['message']}"])
        if "open" not in answer:
            return f"Decided. {answer['message']}"
        lines = [line for item in answer["open"] for line in _lines(item)]
        lines += [f"And {answer['more']} more."] if answer["more"] else []
        lines += [HINT.format(**answer)] if lines else ["Nothing is in doubt."]
        return "\n".join(lines)

    def _binding(self, target: Target, name: str) -> Binding:
        [(model, [key])] = self.scope(target, name).items()
        bindings = Binding.objects.filter(route__target=target, route__model=model, object_key=key)
        binding = bindings.select_related("route__target").first()
        if binding is None:
            raise CommandError(f"Nothing of {name} was ever sent to {target.name}.")
        return binding


def _listed(target: Target, binding: Binding | None) -> tuple[JsonObject, bool]:
    rows = doubt.asked_of(target) if binding is None else doubt.asked_of(target).filter(pk=binding.pk)
    items = [_as_json(question) for row in rows[:MOST] if (question := doubt_of(row))]
    return {"target": target.name, "open": items, "more": max(0, rows.count() - MOST)}, bool(items)


def _as_json(question: Doubt) -> JsonObject:
    row = question.binding
    sent = {"at": row.create_at, "path": row.create_path, "key": row.create_key, "body": row.create_body}
    return {
        "object": str(row),
        "question": question.question and question.question.value,
        "why": row.reason,
        "record": None if row.remote_id is None else decode_id(row.remote_id),
        "candidates": [_beside(candidate) for candidate in question.candidates],
        "sent": None if row.create_body is None else sent,
    }


def _beside(candidate: Beside) -> JsonObject:
    """Return a record that may be the object's; a side that lacks a field has no value for it."""
    fields = {}
    for field in candidate.fields:
        sides = ({"ours": field.ours} if field.is_ours else {}) | ({"theirs": field.theirs} if field.is_theirs else {})
        fields[field.name] = sides | {"differs": field.differs}
    return {"id": decode_id(candidate.encoded), "address": candidate.address, "fields": fields}


def _lines(item: JsonObject) -> list[str]:
    lines = [f"{item['object']}: {item['question']}", f"    why: {item['why']}"]
    for name, value in (item["sent"] or {}).items():
        if value:
            text = json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value
            lines.append(f"    sent {name}: {text}")
    for found in item["candidates"]:
        lines.append(f"    may be {json.dumps(found['id'])}: {found['address']}")
        for name, field in found["fields"].items():
            if field["differs"]:
                ours, theirs = (json.dumps(field[side], ensure_ascii=False) for side in ("ours", "theirs"))
                lines.append(f"        {name} differs: ours {ours}, theirs {theirs}")
    return lines
