#!/usr/bin/env python3
"""Measures the program as whole processes, next to the programs of the comparison.

    packaging/bench/bench.py [--quick] [--runs RUNS]

Every time is the median of RUNS (default 500) runs (a mint's of half as many, a
crowd's of at least 10), all programs in turns; the result is the ratio to the program that
ran next to it. Our program is the one of the packages (packaging/build.sh), or the plain
build (cargo build --release) in the rows that say so. Writes results.md and
results.svg beside this file, and "Speed" of docs/comparison.md; with --quick it runs 60
times and only prints.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import page
from issuer import Issuer
from measure import medians, peak_memory, wall_of
from world import (GIT, KUBECTL, PLAIN, Command, build_empty, build_packaged, build_plain,
                   cached_calls, fill_cache, peers, write_home)

HERE = Path(__file__).resolve().parent
EMPTY = "empty Rust program"
FULL = "kubectl, cached, 10,000 entries"
STORE = "git credential-store get"
GKE = "gke-gcloud-auth-plugin, cached"
ECR = "docker-credential-ecr-login get, cached"
MINT = "cold mint: discovery, signature, token"
CURL = "curl: the same two requests, signed before"
CROWDS = (1, 10, 50, 200)


def cached_commands(scratch, binary, plain, issuer):
    """Measures the calls without a network, the empty programs first."""
    ours = cached_calls(scratch, binary, issuer)
    ours.append(Command(PLAIN, [plain, "kubectl"], ours[0].home))
    full = write_home(scratch / "full", issuer)
    Command("token", [binary, "token"], full).output()
    fill_cache(full, 10_000)
    ours.append(Command(FULL, [binary, "kubectl"], full))
    for command in ours:
        command.output()
    others, left_out = peers(scratch / "peers", scratch)
    floor = [
        Command("/bin/true", ["/bin/true"], full),
        Command(EMPTY, [build_empty(scratch / "empty")], full),
    ]
    return floor + ours + others, left_out


def mint_commands(scratch, binary, issuer):
    """Measures both requests, by us with an empty cache and by curl on one connection."""
    home = write_home(scratch / "cold", issuer)
    cache = home / ".cache"
    mint = Command(MINT, [binary, "token"], home,
                   before=lambda: shutil.rmtree(cache, ignore_errors=True))
    commands = [mint]
    if curl := shutil.which("curl"):
        form = scratch / "form"
        assertion = Command("assertion", [binary, "assertion"], home).output().strip()
        form.write_text("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer"
                        f"&scope=openid&assertion={assertion}")
        commands.append(Command(CURL, [
            curl, "-qsSf", f"{issuer.url}/.well-known/openid-configuration",
            "--next", "-sSf", "-d", f"@{form}", f"{issuer.url}/oauth/v2/token"], home))
    for command in commands:
        before = issuer.connections, issuer.mints
        command.output()
        if (issuer.connections, issuer.mints) != (before[0] + 1, before[1] + 1):
            sys.exit(f"{command.name}: not two requests on one connection")
    return commands


def requests_of_a_crowd(mint, issuer):
    """Returns the number of token requests of 200 processes that start with an empty cache."""
    before = issuer.mints
    wall_of(mint, 200)
    return issuer.mints - before


def bounds(walls, mint_walls, memory, plain_size, mints):
    """Returns the budget and the results: (what, bound, figure)."""
    def ratio(measured, one, other):
        return measured[one] / measured[other] if other in measured else None

    def megabytes(mebibytes):
        return mebibytes and mebibytes * 1024 * 1024 / 1e6

    return [
        ("cached `kubectl` / an empty Rust program of the same profile", 1.0,
         ratio(walls, KUBECTL, EMPTY)),
        ("the same, plain build", 1.35, ratio(walls, PLAIN, EMPTY)),
        ("cached `kubectl` / gke-gcloud-auth-plugin from its cache", 0.25,
         ratio(walls, KUBECTL, GKE)),
        ("cached `git get` / `git credential-store get`", 0.8, ratio(walls, GIT, STORE)),
        ("cached `kubectl`, 10,000 entries / one", 1.1, ratio(walls, FULL, KUBECTL)),
        ("a token over loopback http, both requests / curl making the same", 0.6,
         ratio(mint_walls, MINT, CURL)),
        ("peak memory of a cached call, MB", 4.0, megabytes(memory[KUBECTL])),
        ("the same, plain build", 4.0, megabytes(memory[PLAIN])),
        ("plain binary, stripped, MB", 4.5, plain_size / 1e6),
        ("token requests of 200 processes on an empty cache", 1, mints),
    ]


def shown(figure, digits=2):
    if figure is None:
        return "not measured"
    return str(figure) if isinstance(figure, int) else f"{figure:.{digits}f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--quick", action="store_true", help="few runs, and nothing is written")
    parser.add_argument("--runs", type=int, help="how often each program runs")
    options = parser.parse_args()
    runs = options.runs or (60 if options.quick else 500)

    # A path of fixed length: the measured programs open and print it.
    with tempfile.TemporaryDirectory(dir="/tmp") as scratch, Issuer() as issuer:
        scratch = Path(scratch)
        binary, plain = build_packaged(scratch / "bin"), build_plain(scratch / "plain")
        cached, left_out = cached_commands(scratch, binary, plain, issuer)
        walls = medians(cached, runs)
        mints = mint_commands(scratch, binary, issuer)
        mint_runs = max(runs // 2, 30)
        mint_walls = medians(mints, mint_runs)
        crowd_commands = [c for c in cached if c.name in (EMPTY, KUBECTL)]
        crowds = {n: medians(crowd_commands, max(runs // n, 10), n) for n in CROWDS}
        memory = {command.name: peak_memory(command) for command in cached + mints}
        crowd_mints = requests_of_a_crowd(mints[0], issuer)
        size, plain_size = binary.stat().st_size, plain.stat().st_size

    table = page.table(
        ["whole process", "median, ms", "against the empty program", "peak memory, MiB"],
        [[name, shown(wall), shown(wall / walls[EMPTY]), shown(memory[name], 1)]
         for name, wall in walls.items()])
    mint_table = page.table(
        ["over loopback http", "median, ms", "peak memory, MiB"],
        [[name, shown(wall), shown(memory[name], 1)] for name, wall in mint_walls.items()])
    crowd_table = page.table(
        ["processes at once", f"{KUBECTL}, ms", f"{EMPTY}, ms", "ratio"],
        [[n, shown(of[KUBECTL]), shown(of[EMPTY]), shown(of[KUBECTL] / of[EMPTY])]
         for n, of in crowds.items()])
    budget = bounds(walls, mint_walls, memory, plain_size, crowd_mints)
    bound_table = page.table(
        ["budget", "at most", "measured", "met"],
        [[what, bound, shown(figure), "" if figure is None else "yes" if figure <= bound else "no"]
         for what, bound, figure in budget])
    target = subprocess.run([HERE.parent / "target.sh"], check=True, stdout=subprocess.PIPE,
                            text=True).stdout.strip()
    missing = "".join(f"- left out: {name}: {reason}\n" for name, reason in left_out.items())
    text = f"""\
# Measured

By `packaging/bench/bench.py`: medians of {runs} runs ({mint_runs} of a mint, at least 10 of a
crowd), all programs in turns.

{page.machine()}
- packages' binary: {shown(size / 1e6)} MB, {target}
{missing}
![Answering from the cache](results.svg)

## The budget

{bound_table}
## From the cache

{table}
## Minting

{mint_table}
## Many at once, from the cache

{crowd_table}"""
    print(text)
    if not options.quick:
        ours = {command.name for command in cached if command.argv[0] in (binary, plain)}
        bars = [(name, wall, name in ours) for name, wall in walls.items()]
        (HERE / "results.md").write_text(text)
        (HERE / "results.svg").write_text(page.chart("One call, whole process, median", bars))
        calls = [(name, f"{shown(walls[name])} ms") for name in (KUBECTL, PLAIN, GKE, ECR)
                 if name in walls]
        figures = [(what, bound, shown(figure)) for what, bound, figure in budget]
        page.write_comparison(HERE.parents[1] / "docs/comparison.md", calls, figures, runs)


main()
