"""Load: as much as a server takes (wrk), and at a rate of ours (paced.rs)."""

import json
import re
import subprocess
import sys
from dataclasses import dataclass

from .process import CLIENT_CORE

# Tells what wrk's own report rounds.
DONE = """
done = function(summary)
    local e = summary.errors
    io.write(string.format('total {"requests":%d,"bytes":%d,"microseconds":%d,"faults":%d}\\n',
        summary.requests, summary.bytes, summary.duration,
        e.connect + e.read + e.write + e.status + e.timeout))
end
"""


@dataclass(frozen=True)
class Request:
    """What is asked for."""

    path: str
    connections: int = 32
    headers: tuple = ()
    # Bytes of a body, which make it a POST.
    body: int = 0
    # Instead of one path, many: (how often, path), asked for in a mixed but fixed order.
    mix: tuple = ()
    # Bytes of an answer so long that a run ends within one.
    size: int = 0

    def script(self):
        """The same for wrk, in Lua."""
        if self.body:
            return f'wrk.method = "POST"; wrk.body = string.rep("x", {self.body})' + DONE
        if not self.mix:
            return DONE
        paths = [path for times, path in self.mix for _ in range(times)]
        # A step without a common divisor with their number mixes them, the same way every time.
        step = next(n for n in range(len(paths) * 2 // 3, len(paths) * 2) if coprime(n, len(paths)))
        paths = [paths[n * step % len(paths)] for n in range(len(paths))]
        listed = ", ".join(f'"{path}"' for path in paths)
        return f"""
            local paths, requests, at = {{ {listed} }}, {{}}, 0
            init = function()
                for n, path in ipairs(paths) do requests[n] = wrk.format("GET", path) end
            end
            request = function() at = at % #requests + 1; return requests[at] end
        """ + DONE


@dataclass(frozen=True)
class Run:
    """What a run has come to."""

    rate: float
    cost: float
    requests: float


def coprime(a, b):
    while b:
        a, b = b, a % b
    return a == 1


def wrk(server, request, seconds, folder, threads=1, cores=CLIENT_CORE):
    """Loads a server; requests a second, and the microseconds of its processor for each."""
    if request.size:
        read(folder / "files" / request.path.lstrip("/"))
    script = folder / "request.lua"
    script.write_text(request.script())
    command = ["taskset", "-c", cores, "wrk", f"-t{threads}", f"-c{request.connections}"]
    command += [f"-d{seconds}s", "--timeout", "30s", "-s", script]
    for header in request.headers:
        command += ["-H", header]
    before = server.process.seconds()
    said = subprocess.run(
        [*command, server.url(request.path)], capture_output=True, text=True, check=True
    ).stdout
    spent = server.process.seconds() - before
    total = json.loads(re.search(r"^total (.*)$", said, re.M).group(1))
    # A run that ends within an answer has had a part of it.
    requests = total["bytes"] / request.size if request.size else total["requests"]
    if total["faults"] or not requests:
        sys.exit(f"{server.name}, {request.path}:\n{said}")
    return Run(requests / total["microseconds"] * 1e6, spent / requests * 1e6, requests)


def read(path):
    """Has the kernel hold a long file in memory, which it may have let go of: the first who
    sent it would pay for that."""
    with open(path, "rb", buffering=0) as file:
        while file.read(1 << 20):
            pass


def paced(program, server, request, rate, seconds):
    """Asks at a rate; the quantiles of the time from when a request was due to its answer's end."""
    command = ["taskset", "-c", CLIENT_CORE, program, f"127.0.0.1:{server.port}", request.path]
    command += map(str, [int(rate), 16, seconds])
    said = subprocess.run(command, capture_output=True, text=True)
    if said.returncode:
        sys.exit(f"{server.name}, {request.path}: {said.stderr}")
    return json.loads(said.stdout)
