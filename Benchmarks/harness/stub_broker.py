"""A Kafka broker's outside without Kafka: accepts any number of connections, answers ApiVersions, Metadata and SASL.

`python3 stub_broker.py PORT ADVERTISED_HOST ADVERTISED_PORT`, as node 1. Holds next to nothing per connection, so that
what is measured is what stands before it.
"""
import asyncio
import resource
import struct
import sys

# key: (lowest, highest) version told in ApiVersions; enough for a gateway to serve ordinary clients
VERSIONS = {0: (3, 12), 1: (4, 17), 2: (1, 10), 3: (0, 12), 8: (2, 9), 9: (1, 9), 10: (0, 6), 11: (0, 9), 12: (0, 4), 13: (0, 5),
            14: (0, 5), 17: (0, 1), 18: (0, 4), 22: (0, 5), 36: (0, 2)}


def compact(data):
    return varint(len(data) + 1) + data


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def api_versions(version):
    flexible = version in (3, 4)
    if flexible:
        body = struct.pack(">h", 0) + varint(len(VERSIONS) + 1)
        body += b"".join(struct.pack(">hhhB", key, low, high, 0) for key, (low, high) in VERSIONS.items())
        return body + struct.pack(">iB", 0, 0)
    body = struct.pack(">hi", 0, len(VERSIONS))
    body += b"".join(struct.pack(">hhh", key, low, high) for key, (low, high) in VERSIONS.items())
    return body + (struct.pack(">i", 0) if version in (1, 2) else b"")


def metadata(host, port):
    """MetadataResponse 12: one broker, one topic `bench` of one partition."""
    broker = struct.pack(">i", 1) + compact(host.encode()) + struct.pack(">iBB", port, 0, 0)
    partition = struct.pack(">hiii", 0, 0, 1, 0)
    partition += varint(2) + struct.pack(">i", 1) + varint(2) + struct.pack(">i", 1) + varint(1) + b"\0"
    topic = struct.pack(">h", 0) + compact(b"bench") + b"\x01" * 16 + b"\0" + varint(2) + partition
    topic += struct.pack(">iB", -(1 << 31), 0)
    return (b"\0" + struct.pack(">i", 0) + varint(2) + broker + compact(b"stub") + struct.pack(">i", 1)
            + varint(2) + topic + b"\0")


class Broker(asyncio.Protocol):
    __slots__ = ("transport", "rest")
    host, port = "127.0.0.1", 0

    def connection_made(self, transport):
        self.transport, self.rest = transport, b""

    def data_received(self, data):
        self.rest += data
        while len(self.rest) >= 4:
            length = struct.unpack_from(">i", self.rest)[0]
            if not 8 <= length <= 1 << 20:
                return self.transport.abort()
            if len(self.rest) < 4 + length:
                return None
            frame, self.rest = self.rest[4:4 + length], self.rest[4 + length:]
            key, version, correlation = struct.unpack_from(">hhi", frame)
            if key == 18:
                answer = api_versions(version)
            elif key == 3 and version == 12:
                answer = metadata(self.host, self.port)
            elif key == 17:
                answer = struct.pack(">hih", 0, 1, 5) + b"PLAIN"
            elif key == 36 and version == 0:
                answer = struct.pack(">hhi", 0, -1, 0)
            else:
                print(f"key {key} version {version} is not answered", flush=True)
                return self.transport.abort()
            self.transport.write(struct.pack(">ii", 4 + len(answer), correlation) + answer)
        return None


async def serve(port, host, advertised):
    Broker.host, Broker.port = host, advertised
    server = await asyncio.get_running_loop().create_server(Broker, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    asyncio.run(serve(int(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
