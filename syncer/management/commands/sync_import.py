from typing import Any

from syncer.engine.runs import run_here
from syncer.management.base import SyncCommand
from syncer.models import Run
from syncer.targets.rest.first_load import load_target


class Command(SyncCommand):
    help = "First load: take over all that a target holds, under the same ids. Needs empty tables."

    def answer(self, **options: Any) -> tuple[dict[str, Any], bool]:
        target = self.target(options["target"])
        loaded = load_target(target, tell=lambda line: None if options["json"] else self.stdout.write(line))
        # The first sync only moves the marks behind what was loaded: it finds everything equal and sends nothing.
        run = run_here(target)
        return {"target": target.name, "loaded": loaded, "message": run.message}, run.state != Run.State.DONE

    def text(self, answer: dict[str, Any]) -> str:
        loaded = ", ".join(f"{number} {model}" for model, number in answer["loaded"].items())
        return f"Loaded {loaded}. {answer['message']}"
