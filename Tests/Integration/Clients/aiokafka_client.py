"""aiokafka: asyncio."""
import asyncio
import ssl

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.abc import AbstractTokenProvider
from aiokafka.errors import KafkaError
from common import arguments, record, say, say_records


def settings(given):
    result = {"bootstrap_servers": given.bootstrap, "security_protocol": given.protocol}
    if given.ca:
        result["ssl_context"] = ssl.create_default_context(cafile=given.ca)
    if given.mechanism:
        result["sasl_mechanism"] = given.mechanism
    if given.mechanism == "PLAIN":
        result.update(sasl_plain_username=given.user, sasl_plain_password=given.token)
    if given.mechanism == "OAUTHBEARER":
        class Provider(AbstractTokenProvider):
            async def token(self):
                return given.token
        result["sasl_oauth_token_provider"] = Provider()
    return result


def consumer(given, *topics):
    return AIOKafkaConsumer(*topics, group_id=given.group, auto_offset_reset="earliest", enable_auto_commit=False,
                            session_timeout_ms=10000, heartbeat_interval_ms=500, isolation_level="read_committed",
                            **settings(given))


async def gather(mine, count):
    records = []
    while len(records) < count:
        for found in (await mine.getmany(timeout_ms=200)).values():
            records += [(r.topic, r.partition, r.offset, r.key, r.value, r.headers) for r in found]
    return records


async def produce(given):
    kind = None if given.compression == "none" else given.compression
    mine = AIOKafkaProducer(acks="all", enable_idempotence=True, compression_type=kind, **settings(given))
    await mine.start()
    try:
        sent = []
        for number in range(given.count):
            key, value = record(given, number)
            sent.append(await mine.send(given.topic, value=value, key=key, partition=number % 3,
                                        headers=[("n", str(number).encode())]))
        done = [await future for future in sent]
        say("produced", topic=given.topic, places=sorted([d.partition, d.offset] for d in done))
    finally:
        await mine.stop()


async def consume(given):
    mine = consumer(given)
    await mine.start()
    places = [TopicPartition(given.topic, partition) for partition in range(3)]
    mine.assign(places)
    await mine.seek_to_beginning(*places)
    say_records(await gather(mine, given.count))
    ends = await mine.end_offsets(places)
    for place in places:
        say("end", partition=place.partition, offset=ends[place])
    await mine.stop()


async def group(given):
    mine = consumer(given, given.topic)
    await mine.start()
    say_records(await gather(mine, given.count))
    await mine.commit()
    say("committed", offsets=[[p, await mine.committed(TopicPartition(given.topic, p))] for p in range(3)])
    await mine.stop()


async def rebalance(given):
    first, second = consumer(given, given.topic), consumer(given, given.topic)
    await first.start()

    async def turn(*members):
        for member in members:
            await member.getmany(timeout_ms=100)

    while len(first.assignment()) < 3:
        await turn(first)
    say("assigned", members=[3])
    await second.start()
    while not (first.assignment() and second.assignment() and len(first.assignment()) + len(second.assignment()) == 3):
        await turn(first, second)
    say("assigned", members=sorted([len(first.assignment()), len(second.assignment())]))
    await second.stop()
    while len(first.assignment()) < 3:
        await turn(first)
    say("assigned", members=[3])
    await first.stop()


async def transaction(given):
    mine = AIOKafkaProducer(transactional_id=f"{given.group}-tx", **settings(given))
    await mine.start()
    for commits in False, True:
        await mine.begin_transaction()
        for number in range(given.count):
            key, value = record(given, number)
            await mine.send_and_wait(given.topic, value=value, key=key, partition=number % 3)
        if commits:
            await mine.send_offsets_to_transaction({TopicPartition(given.topic, 0): 5}, given.group)
            await mine.commit_transaction()
        else:
            await mine.abort_transaction()
    await mine.stop()
    reader = consumer(given)
    await reader.start()
    places = [TopicPartition(given.topic, partition) for partition in range(3)]
    reader.assign(places)
    # The offsets of a transaction are visible a moment after its commit was answered.
    while (offset := await reader.committed(places[0])) is None:
        await asyncio.sleep(0.1)
    say("committed", offset=offset)
    await reader.seek_to_beginning(*places)
    say("read", keys=sorted(entry[3].decode() for entry in await gather(reader, given.count)))
    await reader.stop()


async def denied(given):
    # This client asks again and again where it is refused: what it says is given up waiting for.
    mine = consumer(given, given.topic)

    async def attempt():
        await mine.start()
        for _ in await gather(mine, 1):
            say("leaked")

    try:
        await asyncio.wait_for(attempt(), 6)
    except asyncio.TimeoutError:
        say("error", name="waited in vain")


if __name__ == "__main__":
    given = arguments()
    try:
        asyncio.run(globals()[given.action](given))
    except KafkaError as failure:
        say("error", name=type(failure).__name__)
