"""Configures targets and routes from a TOML file.

The file describes the targets that it names completely: a key that is left out has its default, and a route that is
left out is disabled. Targets that the file does not name are left alone.

    document   reads the file by the tables of `schema`
    rows       builds the rows, which the models validate; `peers` has the rules across several targets
    apply      saves the rows
    faults     collects the faults of all these steps
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
    """Apply a file to the targets and routes, all or nothing; with `check`, only report what would change.

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
