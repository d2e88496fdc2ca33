"""Runs the attacks against a gateway: none may show a marker, change the server, or stop the service.

With --expose it runs them on a server itself, as one who may all, and tells which show or change something there: an attack that never
does would prove nothing."""
import base64
import json
import sys
import time

from redis_attack_cases import CARD, CASES, HIDDEN, JSON, SECRET, Case, words
from redis_common import arguments, plain, read
from redis_wire import Closed, Refused, Wire

OPEN = b"OPEN-VALUE"


def fill(server):
    """Everything anew: what is open, what is masked, and what is closed."""
    for anew in (("REPLICAOF", "NO", "ONE"), ("FLUSHALL",), ("FUNCTION", "FLUSH"), ("ACL", "DELUSER", "eve"),
                 ("CONFIG", "SET", "notify-keyspace-events", ""), ("CONFIG", "SET", "maxmemory-samples", 5)):
        server.ask(*anew)
    for database, prefix, value in ((0, "open", OPEN), (0, "masked", JSON), (0, "closed", SECRET), (5, "open", SECRET)):
        server.ask("SELECT", database)
        server.ask("SET", f"{prefix}:k", value)
        server.ask("SET", f"{prefix}:n", 1)
        server.ask("HSET", f"{prefix}:h", "v" if prefix != "masked" else "card", value if prefix != "masked" else CARD, "n", 1)
        server.ask("RPUSH", f"{prefix}:l", value, value)
        server.ask("ZADD", f"{prefix}:z", 1, value)
        server.ask("SADD", f"{prefix}:set", value)
        server.ask("GEOADD", f"{prefix}:geo", 1, 1, value)
        for number in 1, 2, 3:
            server.ask("XADD", f"{prefix}:s", f"{number}-0", "card", CARD if prefix == "masked" else value, "note", value)
        server.ask("XGROUP", "CREATE", f"{prefix}:s", "g-1", 0)
        for group in "STREAMS", "streams", "StReAmS", "NOACK", "private":
            server.ask("XGROUP", "CREATE", f"{prefix}:s", group, 0)
        server.ask("XREADGROUP", "GROUP", "g-1", "owner", "COUNT", 1, "STREAMS", f"{prefix}:s", ">")
        server.ask("RPUSH", f"{prefix}:names", "k" if database == 0 else SECRET)
    server.ask("SET", "open:only", SECRET)
    server.ask("SELECT", 0)
    server.ask("SET", HIDDEN, SECRET)


def state(server):
    """What no attack may change: all values, the groups of closed streams, users, functions, and the server's role."""
    found = {}
    for database in 0, 5:
        server.ask("SELECT", database)
        for key in sorted(server.ask("KEYS", "*")):
            kind = server.ask("TYPE", key)
            asked = {"string": ("GET", key), "hash": ("HGETALL", key), "list": ("LRANGE", key, 0, -1), "zset": ("ZRANGE", key, 0, -1),
                     "set": ("SMEMBERS", key), "stream": ("XRANGE", key, "-", "+")}[kind]
            found[f"{database} {plain(key)}"] = plain([server.ask(*asked), server.ask("TTL", key)])
            if kind == "stream":
                groups = server.ask("XINFO", "GROUPS", key)
                found[f"{database} groups of {plain(key)}"] = plain([group if group[1] == b"private" else group[1] for group in groups])
                found[f"{database} last id of {plain(key)}"] = plain(server.ask("XINFO", "STREAM", key)[7])
            if kind == "stream" and key.startswith(b"closed"):
                found[f"{database} all groups of {plain(key)}"] = plain(groups)
    server.ask("SELECT", 0)
    found["users"] = plain(server.ask("ACL", "USERS"))
    found["functions"] = plain(server.ask("FUNCTION", "LIST"))
    found["samples"] = plain(server.ask("CONFIG", "GET", "maxmemory-samples"))
    found["role"] = plain(server.ask("ROLE")[0])
    return found


class Attacker:
    def __init__(self, given):
        self.given = given
        self.password = read(given.server_password_file)
        self.markers = [SECRET, CARD, HIDDEN, str(given.server_port).encode()]
        # Passwords of tests are long enough to be no word of a reply.
        self.markers += [self.password.encode()] if len(self.password) > 5 else []

    def server(self):
        return Wire(self.given.server_port, self.given.server_user, self.password)

    def connect(self, case, token=None):
        if not case.authenticated:
            return Wire(self.given.port)
        return Wire(self.given.port, self.given.user, token or self.given.token, case.protocol)

    def run(self, case):
        server = self.server()
        fill(server)
        before = state(server)
        received, failure = b"", None
        try:
            wire = self.connect(case)
            for piece in case.sends:
                try:
                    wire.send(piece)
                except OSError:
                    break
                received, closed = wire.gather(quiet=0.08, seconds=4)
                if closed:
                    break
            if case.during:
                case.during(server)
                received, _ = wire.gather(quiet=0.15, seconds=4)
            wire.close()
        except (Refused, Closed, OSError) as problem:
            failure = repr(problem)
        seen = [marker.decode() for marker in self.markers + case.never if marker in received]
        try:
            server = self.server()
            after = state(server)
        except (Refused, Closed, OSError) as problem:
            after = {"the server": repr(problem)}
        if case.during:
            # What the helper did is no attack's effect.
            changed = [key for key in sorted(before.keys() | after.keys()) if before.get(key) != after.get(key)
                       and "masked:s" not in key and "closed" not in key and "open:s" not in key]
        else:
            changed = sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))
        served = ["what had to be refused"] if case.refused and received[:1] not in (b"-", b"") else []
        if not self.given.expose and failure is None:
            failure = self.serves()
        return {"case": case.name, "seen": seen, "changed": changed, "served": served, "failure": failure,
                "received": plain(received[:160]), "harmless": case.harmless}

    def serves(self):
        """Nil where the reader is still served, and masked, on a fresh connection."""
        try:
            wire = Wire(self.given.port, self.given.user, self.given.token)
            opened, masked = wire.ask("GET", "open:k"), wire.ask("XRANGE", "masked:s", "-", "+")
            wire.close()
        except (Refused, Closed, OSError) as problem:
            return f"no service any more: {problem!r}"
        # An attack that was let change it shows as a change.
        is_masked = isinstance(masked, list) and len(masked) >= 3 and not any(CARD in word for entry in masked for word in entry[1])
        return None if opened == OPEN and is_masked else f"the reader is served otherwise: {opened!r} {masked!r}"[:300]


def expiry(token):
    """When a token ends, in seconds since 1970."""
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["exp"]


def expiring(attacker, command, early):
    """A blocked read that lasts beyond its token: nothing that is written then is delivered, to the client or to its group.

    `early`: how many milliseconds the read would end before the token does; nil blocks for ever."""
    token = read(attacker.given.expiring_token_file)
    server = attacker.server()
    fill(server)
    server.ask("XREADGROUP", "GROUP", "g-1", "owner", "STREAMS", "open:s", ">")
    pending = server.ask("XPENDING", "open:s", "g-1")[0]
    wire = attacker.connect(Case("", []), token)
    left = int((expiry(token) - time.time()) * 1000)
    assert left > 300, "the token has as good as ended"
    wire.send(words(command.replace("BLOCK N", f"BLOCK {0 if early is None else left - early}")))
    while time.time() < expiry(token) + 0.02:
        time.sleep(0.005)
    started = time.monotonic()
    _, closed = wire.gather(quiet=1.5, seconds=3)
    ended = time.monotonic() - started
    server.ask("XADD", "open:s", "50-0", "card", SECRET)
    received, closed = wire.gather(quiet=0.2, seconds=2) if not closed else (bytes(wire.buffer), True)
    delivered = server.ask("XPENDING", "open:s", "g-1")[0] - pending
    return {"case": f"{command}, {early} ms early", "seen": [SECRET.decode()] if SECRET in received else [],
            "changed": ["the group was given an entry"] if delivered else [], "served": [],
            "failure": None if closed else f"the connection outlives its token by {ended:.1f} s", "received": plain(received[:160]), "harmless": False}


def main(given):
    attacker = Attacker(given)
    if given.expiring_token_file:
        results = [expiring(attacker, given.command, None if given.early < -100 else given.early)]
    else:
        chosen = [case for case in CASES if given.only in case.name and not (given.expose and "SHUTDOWN" in case.name)]
        results = [attacker.run(case) for case in chosen[::given.every]]
    bad = 0
    for result in results:
        found = result["seen"] or result["changed"] or result["served"] or result["failure"]
        if given.expose:
            # Newer servers know more commands.
            if not found and not result["harmless"] and not result["received"].startswith("-ERR unknown command"):
                bad += 1
                print(json.dumps(result, sort_keys=True))
        elif found:
            bad += 1
            print(json.dumps(result, sort_keys=True))
    print(json.dumps({"cases": len(results), "bad": bad}))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(arguments(
        __doc__, server_port={"type": int, "required": True}, server_user={"default": "default"}, server_password_file={"required": True},
        only={"default": "", "help": "cases whose names hold this"}, expose={"action": "store_true"},
        every={"type": int, "default": 1, "help": "takes each n-th case only"}, expiring_token_file={},
        command={"default": "XREAD BLOCK N STREAMS open:s $"}, early={"type": int, "default": -1000, "help": "milliseconds; below -100: BLOCK 0"})))
