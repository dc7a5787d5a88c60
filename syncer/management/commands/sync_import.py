from syncer.engine.runs import run_here
from syncer.management.base import JsonObject, SyncCommand
from syncer.models import Run
from syncer.targets.rest.first_load import load_target


class Command(SyncCommand):
    help = "First load: take over all that a target holds, under the same ids. Needs empty tables."

    def answer(self, *, target: str, json: bool, **_: object) -> tuple[JsonObject, bool]:
        source = self.target(target)
        loaded = load_target(source, tell=lambda line: None if json else self.stdout.write(line))
        # The first sync only moves the marks past the loaded objects: it finds all of them equal and sends nothing.
        run = run_here(source)
        return {"target": target, "loaded": loaded, "message": run.message}, run.state != Run.State.DONE

    def text(self, answer: JsonObject) -> str:
        loaded = ", ".join(f"{number} {model}" for model, number in answer["loaded"].items())
        return f"Loaded {loaded}. {answer['message']}"
