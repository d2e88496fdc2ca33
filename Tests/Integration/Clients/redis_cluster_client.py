"""redis-py's client of a cluster: adds to streams of many slots and reads them back, while slots may move under it.

It says `going` once all slots are in use and goes on until its standard input ends, then says what is there and which nodes it knows."""
import sys
import threading
import time

import redis
from redis.cluster import ClusterNode, RedisCluster
from redis_common import arguments, plain, say


def again(ask):
    """Until gossip has settled who has a slot, nodes may send to each other; redis-py gives up after 16 of these errands: nothing was done."""
    for _ in range(50):
        try:
            return ask()
        except redis.exceptions.ClusterError as failure:
            if "TTL exhausted" not in str(failure):
                raise
            time.sleep(0.2)
    return ask()


def main(given):
    client = RedisCluster(startup_nodes=[ClusterNode(given.host, given.port)], username=given.user, password=given.token,
                          protocol=given.protocol, socket_timeout=20)
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    names = [f"masked:{number}" for number in range(given.streams)] if given.reads else [f"open:{number}" for number in range(given.streams)]
    written = dict.fromkeys(names, 0)
    rounds, unlike = 0, []
    while rounds < 3 or not ended.is_set():
        for name in names:
            if given.reads:
                entries = again(lambda: client.xrange(name))
                if any(b"4111111111111111" in value for _, fields in entries for value in fields.values()):
                    unlike.append([name, "unmasked"])
            else:
                written[name] += 1
                again(lambda: client.xadd(name, {"n": written[name]}, id=f"{written[name]}-0"))
                place = f"{written[name]}-0".encode()
                entries = again(lambda: client.xrange(name, min=place))
                if entries != [(place, {b"n": str(written[name]).encode()})]:
                    unlike.append([name, entries])
                if not again(lambda: client.xread({name: f"{written[name] - 1}-0"}, count=1)):
                    unlike.append([name, "nothing to read"])
        rounds += 1
        if rounds == 3:
            say("going", len(names))
    for name in names if not given.reads else []:
        ids = [identity for identity, _ in again(lambda: client.xrange(name))]
        if ids != [f"{number}-0".encode() for number in range(1, written[name] + 1)]:
            unlike.append([name, len(ids), written[name]])
    say("unlike", plain(unlike[:20]))
    say("nodes", sorted(f"{node.host}:{node.port}" for node in client.get_nodes()))
    client.close()


if __name__ == "__main__":
    main(arguments(__doc__, protocol={"type": int, "choices": [2, 3], "default": 3}, streams={"type": int, "default": 60},
                   reads={"action": "store_true", "help": "reads masked:N instead of writing open:N"}))
