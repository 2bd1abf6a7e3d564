"""A gRPC server that needs no generated code: messages are bytes."""

import sys
from concurrent import futures

import grpc


def say(request, context):
    context.set_trailing_metadata((("x-length", str(len(request))),))
    return request


def fail(request, context):
    context.abort(grpc.StatusCode.NOT_FOUND, "no such thing")


def count(request, context):
    for number in range(int(request)):
        yield b"number %d" % number


def chat(requests, context):
    for request in requests:
        yield b"you said " + request


HANDLERS = {
    "Say": grpc.unary_unary_rpc_method_handler(say),
    "Fail": grpc.unary_unary_rpc_method_handler(fail),
    "Count": grpc.unary_stream_rpc_method_handler(count),
    "Chat": grpc.stream_stream_rpc_method_handler(chat),
}

# gRPC's own protocol of health: field 1 is 1, "serving".
HEALTH = {"Check": grpc.unary_unary_rpc_method_handler(lambda request, context: b"\x08\x01")}

server = grpc.server(futures.ThreadPoolExecutor(4))
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("echo.Echo", HANDLERS),))
health = grpc.method_handlers_generic_handler("grpc.health.v1.Health", HEALTH)
server.add_generic_rpc_handlers((health,))
server.add_insecure_port(":".join(sys.argv[1:3]))
server.start()
server.wait_for_termination()
