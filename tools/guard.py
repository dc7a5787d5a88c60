"""Become a command that ends with its starter: `guard.py FOLDER USER:GROUP COMMAND …`; see `lifeline.py`.

1. This process leads a process group, and its input is the reading end of its starter's lifeline.
2. It forks a guard that stays in the group, and then becomes the command: so the starter knows the command's PID.
3. The guard waits until the lifeline is closed, which the kernel does when the starter ends, or the command has ended.
4. It interrupts a command that still runs, as Ctrl-C would, and gives it `END_SECONDS`.
5. FOLDER, if given, is removed, and the rest of the group is killed, the guard too.

While the guard is in the group no other group can have its number, so no foreign process is killed. USER:GROUP are the
numeric ids that the command runs as. Every process that we start runs this module, so it imports only quick modules.
"""

import os
import select
import signal
import sys
import time

LOOK = 0.25  # seconds between two checks whether the command has ended
END_SECONDS = 5.0


def main() -> None:
    folder, account, *command = sys.argv[1:]
    leader = os.getpid()
    if os.getpgrp() != leader:
        sys.exit("guard.py must lead a process group: it kills all of it.")
    if os.fork() == 0:
        guard(leader, folder)
    become(command, account)


def guard(leader: int, folder: str) -> None:
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):  # signals to the group are for the command
        signal.signal(number, signal.SIG_IGN)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for output in (1, 2):  # a reader of the command's output must see its end
        os.dup2(nowhere, output)
    os.closerange(3, 256)
    while os.getppid() == leader:
        ready, _, _ = select.select([0], [], [], LOOK)
        if ready:
            end(leader)
            break
    if folder:
        os.spawnlp(os.P_WAIT, "rm", "rm", "-rf", folder)
    os.killpg(0, signal.SIGKILL)


def end(leader: int) -> None:
    os.kill(leader, signal.SIGINT)
    until = time.monotonic() + END_SECONDS
    while os.getppid() == leader and time.monotonic() < until:
        time.sleep(LOOK / 5)


def become(command: list[str], account: str) -> None:
    if account:
        user, group = map(int, account.split(":"))
        os.setgroups([])
        os.setgid(group)
        os.setuid(user)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    for number in (signal.SIGPIPE, signal.SIGXFSZ):  # which Python ignores, and a command would inherit
        signal.signal(number, signal.SIG_DFL)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main()
