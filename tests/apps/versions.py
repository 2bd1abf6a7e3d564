"""An ASGI application that tells what it was asked, and over which version of HTTP."""

import json


async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    headers = [(name.decode(), value.decode()) for name, value in scope["headers"]]
    if scope["path"] == "/large":
        text = b"0123456789" * 100_000
    else:
        text = json.dumps(
            {
                "version": scope["http_version"],
                "method": scope["method"],
                "path": scope["path"],
                "query": scope["query_string"].decode(),
                "host": dict(headers).get("host", ""),
                "a": dict(headers).get("x-a", ""),
                "length": len(body),
            }
        ).encode()
    fields = [(b"content-type", b"application/json"), (b"x-answer", b"yes")]
    await send({"type": "http.response.start", "status": 200, "headers": fields})
    await send({"type": "http.response.body", "body": text})
