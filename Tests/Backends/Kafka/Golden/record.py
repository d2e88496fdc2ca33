#!/usr/bin/env python3
"""Records what a Kafka client and a broker say to each other, a line a frame: `request|response KEY VERSION HEX`.

A plain proxy for one client in plaintext; Ctrl-C ends it. How the files beside it were made:

    kafka start DIR --port 19092 --via 19300            # a broker that also listens on 19112 and advertises 19300 there
    kafka topics --bootstrap-server 127.0.0.1:19092 --create --topic orders --partitions 3
    record.py --listen 19300 --broker 19112 > kcat.txt  # then the client, against 127.0.0.1:19300: produce to `orders`,
                                                        # and consume from it with a group whose name begins with `golden-`
"""
import argparse
import asyncio
import sys


def note(kind, key, version, frame):
    print(kind, key, version, frame.hex(), flush=True)


async def frames(reader):
    while True:
        length = await reader.readexactly(4)
        yield length + await reader.readexactly(int.from_bytes(length, "big"))


async def pump(reader, writer, seen):
    try:
        async for frame in frames(reader):
            seen(frame)
            writer.write(frame)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def serve(client, to_client):
    broker, to_broker = await asyncio.open_connection("127.0.0.1", given.broker)
    asked = {}

    def request(frame):
        key, version, correlation = (int.from_bytes(frame[a:b], "big") for a, b in ((4, 6), (6, 8), (8, 12)))
        asked[correlation] = key, version
        note("request", key, version, frame)

    def response(frame):
        note("response", *asked.pop(int.from_bytes(frame[4:8], "big")), frame)

    await asyncio.gather(pump(client, to_broker, request), pump(broker, to_client, response))


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", given.listen)
    print(f"recording on 127.0.0.1:{given.listen}", file=sys.stderr)
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listen", type=int, required=True, help="port that clients are told")
    parser.add_argument("--broker", type=int, required=True, help="port of the broker behind it")
    given = parser.parse_args()
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        pass
