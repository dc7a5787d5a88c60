"""Targets and routes from a TOML file.

The file says how the targets that it names are to be, wholly: a key that is left out has its default, and a route that
is left out is disabled. Targets that it does not name are left alone.

    document   reads the file by the tables of `schema`
    rows       makes rows of it, which the models validate; `peers` has what concerns several targets
    apply      saves them
    faults     what was wrong, of all of these
"""

from pathlib import Path

from django.db import transaction

from syncer.configure.apply import Change, Report, apply
from syncer.configure.document import read
from syncer.configure.faults import ConfigurationError, Fault, Faults
from syncer.configure.peers import refuse_second_targets
from syncer.configure.rows import plan

__all__ = ["Change", "ConfigurationError", "Fault", "Report", "configure"]


def configure(file: Path, *, check: bool = False) -> Report:
    """Make targets and routes what `file` says, all or nothing; with `check`, only report what would change.

    Raises:
        ConfigurationError: the file can't be read, or has faults.
    """
    faults = Faults()
    targets = read(file, faults)
    with transaction.atomic():
        refuse_second_targets(targets, faults)
        plans = [plan(name, targets, faults) for name in targets]
        faults.raise_if_any()
        return apply(plans, check=check)
