from argparse import ArgumentParser
from typing import Any

from syncer.engine.runs import run_here
from syncer.management.base import JsonObject, SyncCommand
from syncer.models import Run
from syncer.recovery import deletes

HINT = "Decide: sync_deletes {target}{model} --allow {digest} deletes them there; --undo {digest} restores them here."


class Command(SyncCommand):
    help = (
        "Show the deletes that are too many for one run and wait for a person; allow exactly these, or undo the edits "
        "that led to them, then sync. Exit status 0: nothing waits, or is left undone."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--model", default="", help="only the deletes of this model, such as news.Post")
        choice = parser.add_mutually_exclusive_group()
        choice.add_argument("--allow", metavar="DIGEST", help="let the sync make the deletes that were listed")
        choice.add_argument("--undo", metavar="DIGEST", help="undo the edits that led to them, all or nothing")
        parser.add_argument(
            "--by", metavar="USER", help="who decided: for the admin's log, and whose permissions count"
        )

    def answer(self, **options: Any) -> tuple[JsonObject, bool]:
        target, model = self.target(options["target"]), options["model"]
        if options["allow"] is None and options["undo"] is None:
            seen = deletes.review(target, model=model)
            return seen.as_json() | {"model": model}, bool(seen.deletes)
        user = self.user(options["by"])
        if options["allow"] is not None:
            number, word = deletes.allow(target, options["allow"], user=user, model=model), "allowed"
        else:
            number, word = deletes.undo(target, options["undo"], user=user, model=model), "undone"
        run = run_here(target)
        answer = {"target": target.name, word: number, "message": run.message, "counts": run.counts}
        return answer, run.state != Run.State.DONE

    def text(self, answer: JsonObject) -> str:
        if "allowed" in answer:
            return f"Allowed {answer['allowed']} deletes. {answer['message']}"
        if "undone" in answer:
            return f"Undid the edits behind {answer['undone']} deletes. {answer['message']}"
        if not answer["number"]:
            return "No delete waits for a person."
        lines = [f"{item['model']}: {item['number']} deletes wait, {item['why']}" for item in answer["why"]]
        lines += [f"  {item['object']}: record {item['record']}" for item in answer["deletes"]]
        lines += [f"  And {answer['more']} more."] if answer["more"] else []
        model = f" --model {answer['model']}" if answer["model"] else ""
        return "\n".join([*lines, HINT.format(target=answer["target"], model=model, digest=answer["digest"])])
