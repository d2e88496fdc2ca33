"""kafka-python: a client of its own, in Python alone."""
import threading
import time

from common import arguments, record, say, say_records
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaError
from kafka.structs import OffsetAndMetadata

try:
    from kafka.net.sasl.oauth import AbstractTokenProvider
except ImportError:
    from kafka.sasl.oauth import AbstractTokenProvider


def settings(given):
    result = {"bootstrap_servers": given.bootstrap.split(","), "security_protocol": given.protocol}
    if given.ca:
        result.update(ssl_cafile=given.ca, ssl_check_hostname=True)
    if given.mechanism:
        result["sasl_mechanism"] = given.mechanism
    if given.mechanism == "PLAIN":
        result.update(sasl_plain_username=given.user, sasl_plain_password=given.token)
    if given.mechanism == "OAUTHBEARER":
        class Provider(AbstractTokenProvider):
            def token(self):
                return given.token
        result["sasl_oauth_token_provider"] = Provider()
    return result


def consumer(given, *topics):
    return KafkaConsumer(*topics, group_id=given.group, auto_offset_reset="earliest", enable_auto_commit=False,
                         session_timeout_ms=10000, heartbeat_interval_ms=500, isolation_level="read_committed",
                         **settings(given))


def gather(mine, count):
    records = []
    while len(records) < count:
        for found in mine.poll(200).values():
            records += [(r.topic, r.partition, r.offset, r.key, r.value, r.headers) for r in found]
    return records


def produce(given):
    kind = None if given.compression == "none" else given.compression
    mine = KafkaProducer(acks="all", compression_type=kind, **settings(given))
    sent = []
    for number in range(given.count):
        key, value = record(given, number)
        sent.append(mine.send(given.topic, value=value, key=key, partition=number % 3,
                              headers=[("n", str(number).encode())]))
    mine.flush(30)
    done = [future.get(20) for future in sent]
    say("produced", topic=given.topic, places=sorted([d.partition, d.offset] for d in done))
    mine.close()


def consume(given):
    mine = consumer(given)
    places = [TopicPartition(given.topic, partition) for partition in range(3)]
    mine.assign(places)
    mine.seek_to_beginning(*places)
    say_records(gather(mine, given.count))
    ends = mine.end_offsets(places)
    for place in places:
        say("end", partition=place.partition, offset=ends[place])
    mine.close(autocommit=False)


def group(given):
    mine = consumer(given, given.topic)
    say_records(gather(mine, given.count))
    mine.commit()
    say("committed", offsets=[[p, mine.committed(TopicPartition(given.topic, p))] for p in range(3)])
    mine.close(autocommit=False)


class Member(threading.Thread):
    """A consumer on a thread of its own: joining a group blocks it."""

    def __init__(self, given):
        super().__init__(daemon=True)
        self.consumer, self.partitions, self.ends = consumer(given, given.topic), 0, False
        self.start()

    def run(self):
        while not self.ends:
            self.consumer.poll(100)
            self.partitions = len(self.consumer.assignment())
        self.consumer.close(autocommit=False)


def rebalance(given):
    def wait(*wanted):
        while sorted(member.partitions for member in members) != sorted(wanted):
            time.sleep(0.05)
        say("assigned", members=sorted(wanted))

    members = [Member(given)]
    wait(3)
    members.append(Member(given))
    wait(1, 2)
    last = members.pop()
    last.ends = True
    last.join()
    wait(3)
    members[0].ends = True
    members[0].join()


def transaction(given):
    mine = KafkaProducer(transactional_id=f"{given.group}-tx", **settings(given))
    mine.init_transactions()
    for commits in False, True:
        mine.begin_transaction()
        for number in range(given.count):
            key, value = record(given, number)
            mine.send(given.topic, value=value, key=key, partition=number % 3)
        mine.flush(20)
        if commits:
            place = TopicPartition(given.topic, 0)
            mine.send_offsets_to_transaction({place: OffsetAndMetadata(5, "", -1)}, given.group)
            mine.commit_transaction()
        else:
            mine.abort_transaction()
    reader = consumer(given)
    reader.assign([TopicPartition(given.topic, partition) for partition in range(3)])
    # The offsets of a transaction are visible a moment after its commit was answered.
    while (offset := reader.committed(TopicPartition(given.topic, 0))) is None:
        time.sleep(0.1)
    say("committed", offset=offset)
    reader.seek_to_beginning()
    say("read", keys=sorted(entry[3].decode() for entry in gather(reader, given.count)))
    reader.close(autocommit=False)
    mine.close()


def denied(given):
    # This client asks again and again where it is refused, and says in the end that it took too long.
    given.group = None
    mine = consumer(given, given.topic)
    until = time.monotonic() + 5
    while time.monotonic() < until:
        for found in mine.poll(200).values():
            say("leaked", count=len(found))


if __name__ == "__main__":
    given = arguments()
    try:
        globals()[given.action](given)
    except KafkaError as failure:
        say("error", name=type(failure).__name__)
