"""Measures whole processes, in turns, so that a busy moment of the machine affects all
of them alike."""

import os
import random
import signal
import statistics
import subprocess
import sys
import time

DEVNULL = os.open(os.devnull, os.O_RDWR)
GNU_TIME = "/usr/bin/time"
LIMIT = 120  # seconds for the processes of one measurement


def expired(*_):
    raise TimeoutError


# A timer of the system: a thread's would take time from the measured processes.
signal.signal(signal.SIGALRM, expired)


def spawn(command):
    actions = [(os.POSIX_SPAWN_OPEN, 0, str(command.stdin), os.O_RDONLY, 0),
               (os.POSIX_SPAWN_DUP2, DEVNULL, 1), (os.POSIX_SPAWN_DUP2, DEVNULL, 2)]
    argv = [str(arg) for arg in command.argv]
    return os.posix_spawn(argv[0], argv, command.environment, file_actions=actions)


def wall_of(command, processes=1):
    """Returns the milliseconds from the first start to the last exit."""
    command.before()
    pids, ends = [], []
    signal.alarm(LIMIT)
    try:
        start = time.perf_counter()
        pids = [spawn(command) for _ in range(processes)]
        for pid in pids:
            ends.append(os.waitpid(pid, 0)[1])
        wall = time.perf_counter() - start
    except TimeoutError:
        for pid in pids[len(ends):]:
            os.kill(pid, signal.SIGKILL)
        sys.exit(f"{command.argv} did not end within {LIMIT} s")
    finally:
        signal.alarm(0)
    if any(ends):
        sys.exit(f"{command.argv} ended with {set(ends)}")
    return wall * 1000


def medians(commands, runs, processes=1):
    """Returns the median wall time of each, by name."""
    walls = {command.name: [] for command in commands}
    for command in commands:
        wall_of(command, processes)  # not counted: it brings files into memory
    turns, order = list(commands), random.Random(0)
    for _ in range(runs):
        # The program before has its files in the processor's caches, or evicts ours.
        order.shuffle(turns)
        for command in turns:
            walls[command.name].append(wall_of(command, processes))
    return {name: statistics.median(measured) for name, measured in walls.items()}


def peak_memory(command):
    """Returns the command's peak memory in MiB; None without GNU time.

    A process inherits its parent's peak, so that the parent must be a small program,
    which this one is not.
    """
    if not os.access(GNU_TIME, os.X_OK):
        return None
    command.before()
    with open(command.stdin, "rb") as stdin:
        run = subprocess.run([GNU_TIME, "-f", "%M", *command.argv], stdin=stdin, check=True,
                             env=command.environment, stdout=subprocess.DEVNULL,
                             stderr=subprocess.PIPE, text=True, timeout=LIMIT)
    return int(run.stderr.splitlines()[-1]) / 1024
