"""What the client scripts share: their arguments, the records they send, and lines of canonical JSON.

A script does one thing and prints what it saw, without what differs between runs (times, member ids, generations), so that
a run through the gateway can be compared with one made directly.
"""
import argparse
import json
import os
import socket
import sys
import threading


# Names below localhost are the loopback (RFC 6761), which not every resolver knows.
resolve = socket.getaddrinfo
socket.getaddrinfo = lambda host, *rest, **more: resolve(
    "127.0.0.1" if isinstance(host, str) and host.endswith(".localhost") else host, *rest, **more)


def end():
    print("timed out", file=sys.stderr, flush=True)
    os._exit(3)


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("action", choices=["create", "produce", "consume", "group", "rebalance", "transaction", "denied",
                                           "mixed", "describe", "members", "refresh", "tail"])
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--topic", required=True)
    parser.add_argument("--group", default="analytics-clients")
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--prefix", default="r")
    parser.add_argument("--compression", default="none")
    parser.add_argument("--mechanism", choices=["PLAIN", "OAUTHBEARER"])
    parser.add_argument("--user", default="token")
    parser.add_argument("--token-lifetime", type=int, default=3000, help="what the client believes of it, in seconds")
    parser.add_argument("--token-file", help="the token: never an argument, others can see those")
    parser.add_argument("--ca", help="TLS with this authority")
    parser.add_argument("--certificate", help="the client's own; its key is beside it")
    parser.add_argument("--seconds", type=int, default=40)
    given = parser.parse_args()
    given.token = token(given) if given.token_file else None
    given.protocol = ("SASL_" if given.mechanism else "") + ("SSL" if given.ca else "PLAINTEXT")
    # Nothing here may hang a test: the process ends by itself.
    guard = threading.Timer(given.seconds, end)
    guard.daemon = True
    guard.start()
    return given


def token(given):
    """The file's content of now: a test may put a fresh token there."""
    with open(given.token_file) as file:
        return file.read().strip()


def record(given, number):
    key = f"{given.prefix}-{number:05d}"
    value = {
        "id": key, "customer": {"email": f"c{number}@example.com", "name": "Ada"}, "card": {"number": "4111111111111111"},
        "items": [{"sku": f"s{number}", "n": number}],
    }
    return key.encode(), json.dumps(value, separators=(",", ":")).encode()


def say(what, **fields):
    print(json.dumps({"what": what, **fields}, sort_keys=True), flush=True)


def say_records(records):
    """`records`: (topic, partition, offset, key, value, headers)."""
    for topic, partition, offset, key, value, headers in sorted(records, key=lambda r: (r[0], r[1], r[2])):
        say("record", topic=topic, partition=partition, offset=offset, key=text(key), value=text(value),
            headers=[[name, text(content)] for name, content in headers or []])


def text(data):
    return None if data is None else data.decode("utf-8", "backslashreplace")
