"""Asks what grpc_echo.py answers, through whoever listens on the port; prints what it is told."""

import sys

import grpc

channel = grpc.insecure_channel("127.0.0.1:" + sys.argv[1])
method = "/echo.Echo/"

answer, call = channel.unary_unary(method + "Say").with_call(b"hello", timeout=10)
print("say", answer.decode(), dict(call.trailing_metadata())["x-length"])
large = b"x" * 1_000_000
print("large", len(channel.unary_unary(method + "Say")(large, timeout=10)))
try:
    channel.unary_unary(method + "Fail")(b"", timeout=10)
except grpc.RpcError as error:
    print("fail", error.code().name, error.details())
numbers = list(channel.unary_stream(method + "Count")(b"500", timeout=10))
print("count", len(numbers), numbers[-1].decode())
chat = channel.stream_stream(method + "Chat")


def talk():
    # Each is said once the answer to the one before has come.
    for word in (b"one", b"two", b"three"):
        yield word
        heard.acquire()


import threading

heard = threading.Semaphore(0)
for answer in chat(talk(), timeout=10):
    print("chat", answer.decode())
    heard.release()
try:
    channel.unary_unary("/dead.Dead/Say")(b"", timeout=10)
except grpc.RpcError as error:
    print("dead", error.code().name)
