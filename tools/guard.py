"""Become a command that ends with whoever started it: `guard.py FOLDER USER:GROUP COMMAND …`; see `lifeline.py`.

1. This process leads a group of its own, and its input is the reading end of its starter's lifeline.
2. It forks a guard that stays in the group, and then becomes the command: so the starter knows the command's number.
3. The guard waits until the lifeline ends, as it does when the starter is gone, or until the command has ended.
4. It asks a command that still runs to end, as Ctrl-C would, and gives it `END_SECONDS`.
5. FOLDER, where one is given, is removed, and all that is left of the group is killed, the guard too.

While the guard is in the group no other can have its number, so nobody else's processes are killed. USER:GROUP are two
numbers, whom the command runs as. This is in the way of each process that we start: it imports only what is quick.
"""

import os
import select
import signal
import sys
import time

LOOK = 0.25  # seconds between two looks whether the command has ended
END_SECONDS = 5.0


def main() -> None:
    folder, who, *command = sys.argv[1:]
    leader = os.getpid()
    if os.getpgrp() != leader:
        sys.exit("guard.py must lead a process group: it kills all of it.")
    if os.fork() == 0:
        guard(leader, folder)
    become(command, who)


def guard(leader: int, folder: str) -> None:
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):  # what is sent to the group is for the command
        signal.signal(number, signal.SIG_IGN)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for output in (1, 2):  # who reads what the command says must see its end
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


def become(command: list[str], who: str) -> None:
    if who:
        user, group = map(int, who.split(":"))
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
