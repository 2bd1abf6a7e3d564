"""Other servers that are compared where they are installed: HAProxy, Caddy and Apache.

Each has a configuration in its own language that serves what side-by-side.conf does, under the same
paths, as far as it can: HAProxy has no files. Nobody logs, and everybody has one thread for the work.
"""

import os
import pathlib
import re
import shutil
import subprocess
from dataclasses import dataclass

from .server import Server

FILES = ("/612.html", "/4k.css", "/1m.bin")
PROXIED = ("/kept/", "/kept/100k")

HAPROXY = """
global
    nbthread 1
    maxconn 4096
defaults
    mode http
    timeout connect 5s
    timeout client 65s
    timeout server 65s
    http-reuse always
frontend in
    bind 127.0.0.1:@port@ backlog 4096
    http-request return status 200 content-type text/plain string "hello\\n" if { path /return }
    default_backend kept
backend kept
    http-request replace-path /kept/(.*) /\\1
    server one 127.0.0.1:@backend@ pool-max-conn 64
"""

CADDY = """
{
    admin off
    auto_https off
    log {
        output discard
    }
}
http://127.0.0.1:@port@, http://localhost:@port@ {
    bind 127.0.0.1
    root * @files@
    handle /return {
        respond "hello
" 200
    }
    handle_path /kept/* {
        reverse_proxy 127.0.0.1:@backend@ {
            transport http {
                keepalive_idle_conns_per_host 64
            }
        }
    }
    handle_path /gzip/* {
        encode gzip
        file_server
    }
    handle {
        file_server
    }
}
"""

APACHE = """
ServerRoot @folder@
ServerName localhost
Listen 127.0.0.1:@port@
ListenBacklog 4096
PidFile @folder@/logs/apache.pid
ErrorLog @folder@/logs/error.log
Mutex pthread
LoadModule mpm_event_module @modules@/mod_mpm_event.so
LoadModule authz_core_module @modules@/mod_authz_core.so
LoadModule mime_module @modules@/mod_mime.so
LoadModule alias_module @modules@/mod_alias.so
LoadModule filter_module @modules@/mod_filter.so
LoadModule deflate_module @modules@/mod_deflate.so
LoadModule proxy_module @modules@/mod_proxy.so
LoadModule proxy_http_module @modules@/mod_proxy_http.so
@user@
StartServers 1
ServerLimit 1
ThreadsPerChild 64
MaxRequestWorkers 64
AsyncRequestWorkerFactor 300
KeepAlive On
MaxKeepAliveRequests 0
KeepAliveTimeout 65
EnableSendfile On
TypesConfig /dev/null
AddType text/css .css
AddType text/html .html
DocumentRoot @files@
Alias /gzip @files@
<Location /gzip>
    AddOutputFilterByType DEFLATE text/css
</Location>
ProxyPass /kept/ http://127.0.0.1:@backend@/ max=64
"""


@dataclass(frozen=True)
class Rival:
    """A kind of server: its program, its configuration, how it is started, and what it can serve."""

    program: str
    title: str
    configuration: str
    before: tuple
    behind: tuple
    serves: tuple


RIVALS = (
    Rival("haproxy", "HAProxy", HAPROXY, ("-db", "-f"), (), ("/return", *PROXIED)),
    Rival("caddy", "Caddy", CADDY, ("run", "--config"), ("--adapter", "caddyfile"),
          ("/return", *FILES, "/gzip/100k.css", *PROXIED)),
    Rival("apache2", "Apache", APACHE, ("-D", "FOREGROUND", "-f"), (),
          (*FILES, "/gzip/100k.css", *PROXIED)),
)


class Other(Server):
    """One of them, as it runs."""

    def __init__(self, rival, program, folder, marks, running):
        self.rival = rival
        marks = {
            **marks,
            "folder": folder,
            "modules": "/usr/lib/apache2/modules",
            "user": "User www-data\nGroup www-data" if os.geteuid() == 0 else "",
        }
        self.running = running
        super().__init__(program, folder, rival.configuration, marks)

    def command(self):
        rival = self.rival
        # Go would start a thread for the collection of garbage on the core of the load.
        home = ("env", "GOMAXPROCS=1", f"HOME={self.folder}")
        return [*home, self.program, *rival.before, self.configuration, *rival.behind]

    def ready(self, patience):
        """It answers as soon as it listens."""

    def began(self):
        self.running.append(self.process)

    def told(self):
        return version(self.rival, self.program)


def installed(folder, marks, running):
    """Those that are here, started; their processes are put with the others that run."""
    found = []
    for rival in RIVALS:
        program = shutil.which(rival.program, path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
        if program:
            found.append(Other(rival, pathlib.Path(program), folder / rival.program, marks, running))
    return found


def version(rival, program):
    """Such as `HAProxy 2.6.12`."""
    word = "version" if rival.program == "caddy" else "-v"
    said = subprocess.run([program, word], capture_output=True, text=True).stdout
    return f"{rival.title} {re.search(r'[0-9]+([.][0-9]+)+', said).group()}"
