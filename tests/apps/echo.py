"""A WebSocket server that sends back what it gets: `echo.py HOST PORT`."""

import asyncio
import sys

from websockets.asyncio.server import serve


async def echo(connection):
    async for message in connection:
        await connection.send(message)


async def main(host, port):
    async with serve(echo, host, port, subprotocols=["echo"]) as server:
        await server.serve_forever()


asyncio.run(main(sys.argv[1], int(sys.argv[2])))
