"""redis-py, with RESP2 or RESP3, with its own parser or hiredis', blocking or on asyncio: a scenario, and what each step gave."""
import asyncio
import inspect
import threading

import redis
import redis.asyncio
from redis import _parsers
from redis_common import arguments, plain, say
from redis_scenario import BLOCKED, PLAIN, STEPS, WAKES, key


def settings(given):
    """What both clients are made with; no retries, for a second try would hide what the first one met."""
    found = {"host": given.host, "port": given.port, "username": given.user, "password": given.token,
             "protocol": given.protocol, "socket_timeout": 20}
    hiredis, own = ((_parsers._AsyncHiredisParser, [_parsers._AsyncRESP2Parser, _parsers._AsyncRESP3Parser]) if given.asyncio else
                    (_parsers._HiredisParser, [_parsers._RESP2Parser, _parsers._RESP3Parser]))
    found["parser_class"] = hiredis if given.parser == "hiredis" else own[given.protocol - 2]
    if given.ca:
        kinds = redis.asyncio.SSLConnection if given.asyncio else redis.SSLConnection
        found.update(connection_class=kinds, ssl_ca_certs=given.ca, ssl_cert_reqs="required")
    return found


def outcome(step, value):
    return plain(step[2](value) if len(step) > 2 else value)


def blocking(given):
    client = redis.Redis(connection_pool=redis.ConnectionPool(**settings(given)))
    for step in STEPS:
        try:
            say(step[0], outcome(step, step[1](client)))
        except redis.RedisError as failure:
            say(step[0], plain(failure))
    writer = threading.Thread(target=lambda: WAKES[1](client))
    writer.start()
    say(BLOCKED[0], plain(BLOCKED[1](client)))
    writer.join()
    # Optimistic locking: the first transaction meets a change, the second does not.
    for changes in True, False:
        with client.pipeline() as pipe:
            pipe.watch(PLAIN)
            seen = pipe.get(PLAIN)
            if changes:
                client.append(PLAIN, "!")
            pipe.multi()
            pipe.set(PLAIN, "watched")
            try:
                say("watch", plain([seen, pipe.execute()]))
            except redis.WatchError as failure:
                say("watch", type(failure).__name__)
    listener = client.pubsub()
    listener.subscribe(key("c1"), key("c2"))
    listener.psubscribe(key("p*"))
    for _ in range(3):
        say("subscribed", plain(listener.get_message(timeout=10)))
    for channel in "c1", "p-one", "none":
        say("published", client.publish(key(channel), b"\x00 says " + channel.encode()))
    for _ in range(2):
        say("message", plain(listener.get_message(timeout=10)))
    listener.unsubscribe(key("c1"), key("c2"))
    listener.punsubscribe()
    for _ in range(3):
        say("unsubscribed", plain(listener.get_message(timeout=10)))
    listener.close()
    say("scan", plain(sorted(client.scan_iter(match=key("*"), count=3))))
    client.close()


async def concurrently(given):
    client = redis.asyncio.Redis(connection_pool=redis.asyncio.ConnectionPool(**settings(given)))

    async def ask(function):
        value = function(client)
        return await value if inspect.isawaitable(value) else value

    for step in STEPS:
        try:
            say(step[0], outcome(step, await ask(step[1])))
        except redis.RedisError as failure:
            say(step[0], plain(failure))
    blocked, _ = await asyncio.gather(ask(BLOCKED[1]), ask(WAKES[1]))
    say(BLOCKED[0], plain(blocked))
    for changes in True, False:
        async with client.pipeline() as pipe:
            await pipe.watch(PLAIN)
            seen = await pipe.get(PLAIN)
            if changes:
                await client.append(PLAIN, "!")
            pipe.multi()
            pipe.set(PLAIN, "watched")
            try:
                say("watch", plain([seen, await pipe.execute()]))
            except redis.WatchError as failure:
                say("watch", type(failure).__name__)
    listener = client.pubsub()
    await listener.subscribe(key("c1"), key("c2"))
    await listener.psubscribe(key("p*"))
    for _ in range(3):
        say("subscribed", plain(await listener.get_message(timeout=10)))
    for channel in "c1", "p-one", "none":
        say("published", await client.publish(key(channel), b"\x00 says " + channel.encode()))
    for _ in range(2):
        say("message", plain(await listener.get_message(timeout=10)))
    await listener.unsubscribe(key("c1"), key("c2"))
    await listener.punsubscribe()
    for _ in range(3):
        say("unsubscribed", plain(await listener.get_message(timeout=10)))
    await listener.aclose()
    say("scan", plain(sorted([name async for name in client.scan_iter(match=key("*"), count=3)])))
    await client.aclose()


if __name__ == "__main__":
    given = arguments(__doc__, protocol={"type": int, "choices": [2, 3], "default": 3},
                      parser={"choices": ["hiredis", "own"], "default": "own"}, asyncio={"action": "store_true"})
    if given.asyncio:
        asyncio.run(concurrently(given))
    else:
        blocking(given)
