"""The servers under test: which there are, and how one is started."""

import os
import pathlib
import shutil
import subprocess
import sys

from .process import SERVER_CORE, Process, connect, free_port, wait_for

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PYTHON_TOOLS = ROOT / "target/python/bin"


class Server:
    """A server that runs: its name and version, its port, its process."""

    def __init__(self, program, folder, text, marks, cores=SERVER_CORE, patience=10, under=()):
        """Starts it, perhaps under another program, with @name@ in its configuration filled in."""
        folder.mkdir()
        self.program = program
        self.folder = folder
        self.name = self.told()
        self.port = free_port()
        self.configuration = folder / "bench.conf"
        shutil.copy(ROOT / "conf/uwsgi_params", folder)
        self.configuration.write_text(fill(text, {**marks, "port": self.port}))
        self.process = Process([*under, *self.command()], cores, folder)
        self.began()
        wait_for(self.port, patience)
        self.ready(patience)

    def command(self):
        """As nginx is started."""
        return [self.program, "-p", self.folder, "-c", self.configuration]

    def began(self):
        """Its process is there; whether it will serve is not known yet."""

    def ready(self, patience):
        """Until it answers: the socket is there before the server is."""
        self.ask("nobody", patience)

    def told(self):
        """Its name and version."""
        return version(self.program)

    def url(self, path):
        return f"http://127.0.0.1:{self.port}{path}"

    def ask(self, host, patience=60):
        """What a server of this name answers at /, at least its head."""
        with connect(self.port) as client:
            client.settimeout(patience)
            asked = f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
            client.sendall(asked.encode())
            return client.recv(4096)

    def stop(self):
        self.process.stop()


def fill(text, marks):
    for name, value in marks.items():
        text = text.replace(f"@{name}@", str(value))
    return text


def version(program):
    """Such as `nginx 1.31.3`."""
    said = subprocess.run([program, "-v"], capture_output=True, text=True)
    return (said.stderr + said.stdout).split(": ")[-1].split(" (")[0].strip().replace("/", " ")


def build(profile="release"):
    """Our server, built."""
    command = ["cargo", "build", "--quiet", "--profile", profile, "--package", "tidegate"]
    subprocess.run(command, cwd=ROOT, check=True)
    target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
    return target / profile / "tidegate"


def oracles():
    """Every nginx there is: Debian's, then the newest."""
    found = [shutil.which("nginx", path="/usr/sbin:/usr/bin"), PYTHON_TOOLS / "nginx-1.31"]
    found = [pathlib.Path(program) for program in found if program]
    found = [program for program in found if program.exists()]
    return found or sys.exit("no nginx to compare with: run tests/setup.sh")


def programs(options):
    """Ours and those it is compared with."""
    ours = options.tidegate or build()
    return [pathlib.Path(program).resolve() for program in [ours, *(options.against or oracles())]]


def distinct(servers):
    """Two builds of one version are called by the folders they are in, too."""
    names = [server.name for server in servers]
    for server in servers:
        if names.count(server.name) > 1:
            server.name += f" ({pathlib.Path(server.program).parent.name})"
    return servers


def add_options(parser):
    """What all programs here may be told of servers."""
    parser.add_argument("--tidegate", metavar="PROGRAM", help="instead of building a release")
    parser.add_argument("--against", metavar="PROGRAM", action="append", help="instead of nginx")
    parser.add_argument("--write", action="store_true", help="into benches/README.md")


def check_tools(*names):
    missing = [name for name in names if not shutil.which(name)]
    if missing:
        sys.exit(f"missing: {' '.join(missing)} (see tests/setup.sh)")
    if os.cpu_count() < 2:
        sys.exit("two cores are needed: one for the servers, one for the load")
