from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError
from django.db import transaction

from syncer.engine.runs import run_here
from syncer.management.base import JsonObject, SyncCommand
from syncer.models import Run
from syncer.reports.doubt import follows
from syncer.targets.rest import doubt


class Command(SyncCommand):
    help = (
        "Link an object to the record that it has at a target already, and sync it: no second record is created. Works "
        "for any object of a REST target, also for one that was never sent. Exit status 0: nothing is left undone."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("object", help="such as news.Post:5")
        parser.add_argument("id", nargs="?", metavar="ID", help='the id of its record: 5, or "5" in quotation marks')
        parser.add_argument("--none", action="store_true", help="it has no record there: create it")
        parser.add_argument("--check", action="store_true", help="only show what would be sent then")
        parser.add_argument("--by", metavar="USER", help="who decided, for the admin's log")

    def answer(self, **options: Any) -> tuple[JsonObject, bool]:
        target, user, text = self.target(options["target"]), self.user(options["by"]), options["id"]
        if (text is None) is not options["none"]:
            raise CommandError("Give the id of the object's record, or --none where it has no record.")
        [(model, [key])] = self.scope(target, options["object"]).items()
        route = target.routes.select_related("target").get(model=model)
        remote_id = None if text is None else doubt.as_id(route=route, text=text)
        answer = {"target": target.name, "object": f"{model}:{key}", "record": remote_id}
        if options["check"]:
            with transaction.atomic():
                binding = doubt.binding_of(route=route, key=key)
                doubt.check(binding=binding, remote_id=remote_id)
                answer["follows"] = follows(binding, remote_id)
                transaction.set_rollback(True)
            return answer, False
        binding = doubt.binding_of(route=route, key=key)
        doubt.link(binding=binding, remote_id=remote_id, user=user)
        run = run_here(target, scope={model: [key]})
        return answer | {"message": run.message, "counts": run.counts}, run.state != Run.State.DONE

    def text(self, answer: JsonObject) -> str:
        if "follows" in answer:
            return f"Nothing was written (--check). {answer['follows']}"
        return f"Linked. {answer['message']}" if answer["record"] is not None else f"Decided. {answer['message']}"
