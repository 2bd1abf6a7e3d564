"""Programs on a core of their own, and what they have cost so far."""

import os
import pathlib
import resource
import signal
import socket
import subprocess
import sys
import time

SERVER_CORE, CLIENT_CORE = "0", "1"


class Process:
    """A program on some cores, in a folder of its own, ended with all its children."""

    def __init__(self, command, cores, folder):
        (folder / "logs").mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
        self.process = subprocess.Popen(
            ["taskset", "-c", cores, *map(str, command)], cwd=folder, start_new_session=True
        )

    def seconds(self):
        """The processor time of it and its children so far."""
        total = 0
        for pid in self.family():
            try:
                # The clock of another process: nanoseconds, with threads that have ended.
                total += time.clock_gettime((~pid << 3) | 2)
            except OSError:
                continue
        return total

    def memory(self):
        """The bytes of memory that it and its children hold now."""
        pages = 0
        for pid in self.family():
            pages += int(pathlib.Path(f"/proc/{pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def family(self):
        """It, its children, theirs."""
        pids = [self.process.pid]
        for pid in pids:
            for children in pathlib.Path(f"/proc/{pid}/task").glob("*/children"):
                try:
                    pids += map(int, children.read_text().split())
                except OSError:
                    continue
        return pids

    def stop(self):
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def raise_limit():
    """As many open files as there may be; how many that is."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    return most


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for(address, seconds=10):
    """Until somebody listens at a port of this machine, or at the path of a unix socket."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return connect(address).close()
        except OSError:
            if time.monotonic() > deadline:
                sys.exit(f"nothing answers at {address} after {seconds} s")
            time.sleep(0.02)


def connect(address):
    if isinstance(address, int):
        return socket.create_connection(("127.0.0.1", address), 5)
    client = socket.socket(socket.AF_UNIX)
    client.connect(str(address))
    return client
