"""The files and the backends that all servers share."""

import os
import shutil
import subprocess
import sys

from .process import CLIENT_CORE, Process, free_port, wait_for
from .server import ROOT, fill, oracles

BACKEND = """
worker_processes 1;
daemon off;
error_log logs/error.log;
pid logs/backend.pid;
events { worker_connections 16384; }
http {
    access_log off;
    sendfile on;
    keepalive_requests 1000000;
    client_max_body_size 0;
    server {
        listen @at@@port@ backlog=4096;
        location / { return 200 "hello\\n"; }
        location /100k { alias @files@/100k.css; }
    }
}
"""


def files(folder):
    """Files of many lengths; the one of 1 GiB takes no room."""
    folder.mkdir()
    rules = (
        f".rule-{n} {{ margin: {n % 7}px auto; color: #{n * 9973 % (1 << 24):06x}; }}\n"
        for n in range(3000)
    )
    style = "".join(rules)
    (folder / "612.html").write_text("<p>" + "x" * 609)
    (folder / "4k.css").write_text(style[:4096])
    (folder / "100k.css").write_text(style[:100 << 10])
    (folder / "icon.png").write_bytes(os.urandom(2 << 10))
    (folder / "photo.jpg").write_bytes(os.urandom(100 << 10))
    (folder / "1m.bin").write_bytes(os.urandom(1 << 20))
    with open(folder / "1g.bin", "wb") as file:
        file.truncate(1 << 30)
    return folder


def compile_rust(source, folder):
    """One of the small programs beside this folder, built."""
    program = folder / source.removesuffix(".rs")
    command = ["rustc", "--edition", "2024", "-O", "-o", program, ROOT / "benches" / source]
    subprocess.run(command, check=True)
    return program


MANIFEST = """
[package]
name = "@name@"
edition = "2024"
[[bin]]
name = "@name@"
path = "@path@"
[dependencies]
rustix = { version = "1", features = ["net"] }
"""


def compile_with_rustix(source, folder):
    """The same of one that asks the kernel for what the standard library does not; by the versions of all."""
    name = source.removesuffix(".rs")
    package = folder / f"{name}.package"
    package.mkdir()
    manifest = fill(MANIFEST, {"name": name, "path": ROOT / "benches" / source})
    (package / "Cargo.toml").write_text(manifest)
    shutil.copy(ROOT / "Cargo.lock", package)
    command = ["cargo", "build", "--quiet", "--release", "--offline", "--target-dir", package / "target"]
    if subprocess.run(command, cwd=package).returncode:
        sys.exit(f"{source} is not built: where rustix is missing, `cargo fetch --locked` in {ROOT} gets it")
    return package / "target/release" / name


def http_backend(folder, running, shared, at="127.0.0.1:"):
    """An nginx that answers with little work, at one or all of this machine's addresses; its port."""
    port = free_port()
    (folder / "backend").mkdir()
    configuration = folder / "backend/backend.conf"
    configuration.write_text(fill(BACKEND, {"port": port, "at": at, "files": shared}))
    command = [oracles()[-1], "-p", folder / "backend", "-c", configuration]
    running.append(Process(command, CLIENT_CORE, folder / "backend"))
    wait_for(port)
    return port


def uwsgi_backend(program, folder, running, address, length=6):
    """Something that answers uwsgi requests with so many bytes, at a port or a unix socket."""
    at = f"127.0.0.1:{address}" if isinstance(address, int) else f"unix:{address}"
    running.append(Process([program, at, str(length)], CLIENT_CORE, folder / "uwsgi"))
    wait_for(address)
    if not isinstance(address, int):
        address.chmod(0o777)
    return address
