"""How it is measured: whole processes, in turns, so that a busy moment of the
machine falls on all of them alike."""

import os
import random
import statistics
import subprocess
import sys
import time

DEVNULL = os.open(os.devnull, os.O_RDWR)
GNU_TIME = "/usr/bin/time"


def spawn(command):
    actions = [(os.POSIX_SPAWN_OPEN, 0, str(command.stdin), os.O_RDONLY, 0),
               (os.POSIX_SPAWN_DUP2, DEVNULL, 1), (os.POSIX_SPAWN_DUP2, DEVNULL, 2)]
    argv = [str(arg) for arg in command.argv]
    return os.posix_spawn(argv[0], argv, command.environment, file_actions=actions)


def wall_of(command, processes=1):
    """Milliseconds from the first start to the last end."""
    command.before()
    start = time.perf_counter()
    pids = [spawn(command) for _ in range(processes)]
    ends = [os.waitpid(pid, 0)[1] for pid in pids]
    wall = time.perf_counter() - start
    if any(ends):
        sys.exit(f"{command.argv} ended with {set(ends)}")
    return wall * 1000


def medians(commands, runs, processes=1):
    """The median wall time of each, by name."""
    walls = {command.name: [] for command in commands}
    for command in commands:
        wall_of(command, processes)  # not counted: it brings files into memory
    turns, order = list(commands), random.Random(0)
    for _ in range(runs):
        # What ran just before has its files in the processor's caches or pushes ours out.
        order.shuffle(turns)
        for command in turns:
            walls[command.name].append(wall_of(command, processes))
    return {name: statistics.median(measured) for name, measured in walls.items()}


def peak_memory(command):
    """The most memory that it held, in MiB; none without GNU time.

    A process starts out with its parent's peak on its account, so that its
    parent must be a small program, which this one is not.
    """
    if not os.access(GNU_TIME, os.X_OK):
        return None
    command.before()
    with open(command.stdin, "rb") as stdin:
        run = subprocess.run([GNU_TIME, "-f", "%M", *command.argv], stdin=stdin, check=True,
                             env=command.environment, stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE, text=True)
    return int(run.stderr.splitlines()[-1]) / 1024
