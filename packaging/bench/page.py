"""Writes the figures as a page: Markdown tables, and a chart in SVG."""

import datetime
import os
import platform
import re
import shutil
import subprocess
from html import escape
from pathlib import Path

TOOLS = {
    "rustc": ["--version"],
    "git": ["--version"],
    "curl": ["--version"],
    "gke-gcloud-auth-plugin": ["--version"],
    "docker-credential-ecr-login": ["-v"],
}

# Readable on a light and on a dark page, whichever the reader's system shows.
STYLE = """
  text { font: 13px system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600 }
  .ours { fill: #1a7f64 }
  .other { fill: #8b949e }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .ours { fill: #3fb98f }
    .other { fill: #6e7681 }
  }
"""


def version_of(tool, argv):
    run = subprocess.run([tool, *argv], capture_output=True, text=True, check=False)
    return re.search(r"\d+(\.\d+)+", run.stdout + run.stderr)[0]


def machine():
    """Returns the machine and the versions of the measurement."""
    cpu = next((line.split(":", 1)[1].strip()
                for line in Path("/proc/cpuinfo").read_text().splitlines()
                if line.startswith("model name")), platform.machine())
    tools = [f"{tool} {version_of(tool, argv)}" for tool, argv in TOOLS.items()
             if shutil.which(tool)]
    return "\n".join([
        f"- machine: {cpu}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, "
        f"{' '.join(platform.libc_ver())}",
        f"- date: {datetime.date.today()}",
        f"- versions: {', '.join(tools)}",
    ])


def write_comparison(file, calls, budget, runs):
    """Replaces the section "Speed" of docs/comparison.md: its calls and its budget."""
    before, rest = file.read_text().split("## Speed\n", 1)
    after = re.search(r"^## .*|\Z", rest, re.MULTILINE | re.DOTALL)[0]
    file.write_text(f"""\
{before}## Speed

{table(["a cached call, median", "time"], calls)}
The other programs in the tables above were not measured.

![One call that is answered from the cache, beside other programs](../packaging/bench/results.svg)

{table(["", "at most", "measured"], budget)}
Whole processes, medians of {runs} interleaved runs, by `packaging/bench/bench.py`
([results.md](../packaging/bench/results.md)):

{machine()}

The measured binary is the static one of the packages. `cargo install` and Homebrew make the
plain build. The ratio to an empty program depends on the machine: on an AMD EPYC with 2 cores
it was 0.90, and 1.55 for the plain build (2026-11-29). The plain build uses more memory than
its limit.
{after and chr(10)}{after}""")


def table(head, rows):
    cells = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in row)} |" for row in cells) + "\n"


def chart(title, bars):
    """Draws horizontal bars of (name, milliseconds, True for our program)."""
    label, width, line, top = 300, 760, 26, 40
    longest = max(value for _, value, _ in bars)
    scale = (width - label - 80) / longest
    height = top + line * len(bars) + 10
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}">',
        f"<style>{STYLE}</style>",
        f'<text class="title" x="10" y="22">{escape(title)}</text>',
    ]
    for n, (name, value, ours) in enumerate(bars):
        y = top + n * line
        length = max(value * scale, 1)
        parts += [
            f'<text x="{label - 10}" y="{y + 14}" text-anchor="end">{escape(name)}</text>',
            f'<rect class="{"ours" if ours else "other"}" x="{label}" y="{y}" rx="2" '
            f'width="{length:.1f}" height="18"/>',
            f'<text x="{label + length + 6:.1f}" y="{y + 14}">{value:.2f} ms</text>',
        ]
    return "\n".join([*parts, "</svg>\n"])
