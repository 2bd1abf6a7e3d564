"""An application that takes a moment to start and a moment to answer; POST gives the length back."""

import time

time.sleep(0.3)


def application(environ, start_response):
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length)
    time.sleep(0.004)
    text = str(len(body)) if environ["REQUEST_METHOD"] == "POST" else "got"
    start_response("200 OK", [("Content-Length", str(len(text)))])
    return [text.encode()]
