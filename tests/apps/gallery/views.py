"""The views: each shows one thing that the server in front may get wrong."""

import os
import signal
import time
import zlib
from urllib.parse import quote

from django.conf import settings
from django.core.files.storage import default_storage
from django.http import HttpResponse, HttpResponseRedirect, JsonResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt


def page(request):
    """A template with a hashed style sheet and the form for uploads."""
    return render(request, "page.html")


def upload(request):
    """Saves the file to the media folder and sends the client there."""
    file = request.FILES["file"]
    return HttpResponseRedirect(default_storage.url(default_storage.save(file.name, file)))


@csrf_exempt
def echo(request, rest=""):
    """What arrived: method, path, headers, and the body's length and checksum."""
    body = request.body
    return JsonResponse(
        {
            "method": request.method,
            "path": request.path,
            "raw": request.META.get("REQUEST_URI") or request.META.get("RAW_URI"),
            "query": request.META["QUERY_STRING"],
            "scheme": request.scheme,
            "host": request.get_host(),
            "client": request.META.get("REMOTE_ADDR", ""),
            "headers": dict(request.headers),
            "length": len(body),
            "adler32": zlib.adler32(body),
        }
    )


def events(request):
    """Two server-sent events; the second is not made before a file called `go` exists."""

    def stream():
        yield "data: first\n\n"
        deadline = time.monotonic() + 10
        while not (settings.ROOT / "go").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        yield "data: second\n\n"

    return StreamingHttpResponse(stream(), content_type="text/event-stream")


def slow(request):
    """Answers after so many milliseconds."""
    time.sleep(int(request.GET.get("ms", "100")) / 1000)
    return HttpResponse("at last\n", content_type="text/plain")


def big(request):
    """So many bytes of text, in pieces of 8 KiB and without a length."""
    length = int(request.GET["bytes"])
    piece = b"0123456789abcde\n" * 512

    def stream():
        for start in range(0, length, len(piece)):
            yield piece[: length - start]

    return StreamingHttpResponse(stream(), content_type="text/plain")


def download(request, name):
    """Leaves the sending to the server in front, as X-Accel-Redirect asks."""
    response = HttpResponse(content_type="application/x-test")
    response["X-Accel-Redirect"] = quote("/protected/" + name)
    response["Content-Disposition"] = "attachment"
    return response


def instance(request):
    """Which of several processes this is; one that finds `crash-NAME` dies with all its workers."""
    name = os.environ.get("INSTANCE", "one")
    if (settings.ROOT / f"crash-{name}").exists():
        os.killpg(0, signal.SIGKILL)
    return HttpResponse(name, content_type="text/plain")
