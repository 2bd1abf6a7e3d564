"""Tables, what they were made on, and their places in benches/README.md."""

import math
import os
import pathlib
import platform
import re
import statistics
import subprocess
import time

from .server import ROOT

README = ROOT / "benches/README.md"


def middle(values):
    """The median, and how far it may be off: its standard error."""
    values = list(values)
    error = 1.25 * statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else math.nan
    return statistics.median(values), error


def number(value):
    """Three digits or more, as many as say something."""
    if value != value:
        return "?"
    return f"{value:,.0f}" if value >= 1000 else f"{value:.1f}"


def table(head, rows):
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join("| " + " | ".join(map(str, cells)) + " |" for cells in lines)


def machine():
    """Where and when."""
    cpu = re.search(r"model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text())
    cpu = cpu.group(1) if cpu else platform.machine()
    commit = git("rev-parse", "--short", "HEAD")
    changed = ", changed" if git("status", "--porcelain", "--", "crates", "Cargo.lock") else ""
    return (
        f"at commit {commit}{changed}, on {time.strftime('%Y-%m-%d')}; "
        f"{cpu}, {os.cpu_count()} cores, Linux {platform.release()}"
    )


def git(*arguments):
    said = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
    return said.stdout.strip()


def write(name, text):
    """Puts a text between its marks in the README."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before, rest = README.read_text().split(begin)
    README.write_text(f"{before}{begin}\n{text}\n{end}{rest.split(end)[1]}")
