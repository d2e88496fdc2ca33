"""What the Redis client scripts share: arguments, and lines of canonical JSON without what differs between two runs."""
import argparse
import json
import os
import re
import sys
import threading

# Members whose numbers are times or the age of something.
TIMES = {"idle", "inactive", "seen-time", "active-time", "seen_time", "active_time", "time_since_delivered", "delivery-time",
         "delivered_time", "idle-time", "active-defrag-running"}
CLOCK = re.compile(r"\b1\d{12}\b")
# What a grammar refuses, the gateway says before the server could, in fewer words: only how these texts begin is compared.
BRIEF = re.compile(r"(wrong number of arguments|syntax error|value is not an integer|Invalid stream ID|Unbalanced)[^\"\n]*")


def expire():
    print("timed out", file=sys.stderr, flush=True)
    os._exit(3)


def arguments(description, **more):
    """`more`: further options, by name, as keyword arguments of argparse."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--user", default="any")
    parser.add_argument("--token-file", help="password or token: never an argument, others can see those")
    parser.add_argument("--ca", help="TLS with this authority")
    parser.add_argument("--seconds", type=int, default=60)
    for name, options in more.items():
        parser.add_argument("--" + name.replace("_", "-"), **options)
    given = parser.parse_args()
    given.token = read(given.token_file)
    # Nothing here may hang a test: the process ends by itself.
    guard = threading.Timer(given.seconds, expire)
    guard.daemon = True
    guard.start()
    return given


def read(path):
    if path is None:
        return None
    with open(path) as file:
        return file.read().strip()


def plain(value, key=None):
    """A value as JSON has it: bytes as text, containers by their kind, times as the word TIME."""
    if isinstance(value, (bytes, bytearray)):
        return bytes(value).decode("utf-8", "backslashreplace")
    if isinstance(value, BaseException):
        return {"error": type(value).__name__, "says": BRIEF.sub(r"\1", str(value))}
    if isinstance(key, str) and key in TIMES and isinstance(value, (int, float)) and value >= 0:
        return "TIME"
    if isinstance(value, dict):
        return {"map": [[plain(name), plain(member, plain(name))] for name, member in value.items()]}
    if isinstance(value, (set, frozenset)):
        return {"set": sorted(plain(member) for member in value)}
    if hasattr(value, "_asdict"):
        return plain(value._asdict(), key)
    if isinstance(value, (list, tuple)):
        members = [plain(member) for member in value]
        # RESP2 spells a map as names and values in turn.
        for place in range(0, len(members) - 1):
            if isinstance(members[place], str) and members[place] in TIMES and isinstance(members[place + 1], int):
                members[place + 1] = "TIME" if members[place + 1] >= 0 else members[place + 1]
        return members
    # A clock's milliseconds: delivery times stand bare in XINFO STREAM FULL, and in what coredis makes one text of.
    if isinstance(value, str):
        return CLOCK.sub("TIME", value)
    if isinstance(value, int) and not isinstance(value, bool) and 10**12 <= value < 10**13:
        return "TIME"
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return plain(str(value))


def say(step, result):
    print(json.dumps({"step": step, "result": result}, sort_keys=True), flush=True)


def without_idle(rows, place=2):
    """Rows of XPENDING, where the age of each stands in one place."""
    return [[*row[:place], "TIME", *row[place + 1:]] for row in rows] if isinstance(rows, list) else rows
