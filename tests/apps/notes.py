"""A small Flask application: an answer, an echo, a redirect, cookies, and a stream."""

from flask import Flask, Response, jsonify, redirect, request, url_for

application = Flask(__name__)


@application.get("/")
def index():
    answer = Response("notes\n", content_type="text/plain; charset=utf-8")
    answer.set_cookie("first", "1", path="/")
    answer.set_cookie("second", "2", path="/", httponly=True)
    return answer


@application.route("/echo", methods=["GET", "POST", "PUT", "DELETE"])
def echo():
    return jsonify(
        method=request.method,
        url=request.url,
        host=request.host,
        headers=dict(request.headers),
        length=len(request.get_data()),
    )


@application.get("/old")
def old():
    return redirect(url_for("index", _external=True))


@application.get("/stream")
def stream():
    return Response((f"line {number}\n" for number in range(1000)), content_type="text/plain")


@application.get("/broken")
def broken():
    raise RuntimeError("on purpose")
