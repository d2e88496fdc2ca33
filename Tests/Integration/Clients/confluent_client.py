"""confluent-kafka (librdkafka)."""
import time

from common import arguments, record, say, say_records, token
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType


def settings(given, **more):
    result = {"bootstrap.servers": given.bootstrap, "security.protocol": given.protocol, "log_level": 2}
    if given.ca:
        result["ssl.ca.location"] = given.ca
    if given.certificate:
        result.update({"ssl.certificate.location": given.certificate,
                       "ssl.key.location": given.certificate.replace(".pem", ".key")})
    if given.mechanism:
        result["sasl.mechanisms"] = given.mechanism
    if given.mechanism == "PLAIN":
        result.update({"sasl.username": given.user, "sasl.password": given.token})
    if given.mechanism == "OAUTHBEARER":
        result["oauth_cb"] = lambda _: (token(given), time.time() + given.token_lifetime)
    result.update(more)
    return result


def error(failure):
    error = failure.args[0] if isinstance(failure, KafkaException) else failure
    say("error", code=error.code(), name=error.name())


def produce(given, producer=None):
    results = []
    mine = producer or Producer(settings(given, acks="all", **{
        "compression.type": given.compression, "enable.idempotence": True}))
    for number in range(given.count):
        key, value = record(given, number)
        mine.produce(given.topic, value, key, partition=number % 3, headers=[("n", str(number).encode())],
                     on_delivery=lambda failure, message: results.append((failure, message)))
    if producer:
        return results
    mine.flush(30)
    for failure, message in results:
        if failure:
            return error(failure)
    say("produced", topic=given.topic, places=sorted([m.partition(), m.offset()] for _, m in results))


def create(given):
    """The topics named, separated by commas, with three partitions each."""
    names = given.topic.split(",")
    mine = AdminClient(settings(given))
    for name, future in mine.create_topics([NewTopic(name, 3, -1) for name in names], operation_timeout=20).items():
        future.result(30)
        say("created", topic=name)


def consumer(given, **more):
    return Consumer(settings(given, **{
        "group.id": given.group, "auto.offset.reset": "earliest", "enable.auto.commit": False, "session.timeout.ms": 10000,
        "isolation.level": "read_committed", **more}))


def gather(mine, count, into=None):
    records = [] if into is None else into
    while len(records) < count:
        message = mine.poll(0.2)
        if message is None:
            continue
        if message.error():
            if message.error().code() in (KafkaError._PARTITION_EOF, KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN):
                continue
            raise KafkaException(message.error())
        records.append((message.topic(), message.partition(), message.offset(), message.key(), message.value(),
                        message.headers()))
    return records


def consume(given):
    mine = consumer(given)
    mine.assign([TopicPartition(given.topic, partition, 0) for partition in range(3)])
    say_records(gather(mine, given.count))
    for partition in range(3):
        say("watermarks", partition=partition, marks=mine.get_watermark_offsets(TopicPartition(given.topic, partition), 10))
    mine.close()


def group(given):
    mine = consumer(given)
    mine.subscribe([given.topic])
    say_records(gather(mine, given.count))
    mine.commit(asynchronous=False)
    committed = mine.committed([TopicPartition(given.topic, partition) for partition in range(3)], 10)
    say("committed", offsets=[[place.partition, place.offset] for place in committed])
    mine.close()


def rebalance(given):
    """A second member joins; both have partitions then, all of them together; then it leaves and the first has all."""
    first, second = consumer(given), consumer(given)
    first.subscribe([given.topic])
    while len(first.assignment()) < 3:
        first.poll(0.1)
    say("assigned", members=[3])
    second.subscribe([given.topic])
    while not (first.assignment() and second.assignment() and len(first.assignment()) + len(second.assignment()) == 3):
        first.poll(0.1)
        second.poll(0.1)
    say("assigned", members=sorted([len(first.assignment()), len(second.assignment())]))
    second.close()
    while len(first.assignment()) < 3:
        first.poll(0.1)
    say("assigned", members=[3])
    first.close()


def transaction(given):
    """One that is aborted, then one that is committed together with a consumer's offsets."""
    mine = Producer(settings(given, **{"transactional.id": f"{given.group}-tx"}))
    mine.init_transactions(20)
    mine.begin_transaction()
    produce(given, mine)
    mine.flush(20)
    mine.abort_transaction(20)
    mine.begin_transaction()
    results = produce(given, mine)
    reader = consumer(given)
    reader.subscribe([given.topic])
    while len(reader.assignment()) < 3:
        reader.poll(0.1)
    mine.send_offsets_to_transaction([TopicPartition(given.topic, 0, 5)], reader.consumer_group_metadata(), 20)
    mine.commit_transaction(20)
    # The offsets of a transaction are visible a moment after its commit was answered.
    while (offset := reader.committed([TopicPartition(given.topic, 0)], 20)[0].offset) < 0:
        time.sleep(0.1)
    say("committed", records=sum(1 for failure, _ in results if not failure), offset=offset)
    reader.close()
    reader = consumer(given, **{"group.id": given.group + "-reader"})
    reader.assign([TopicPartition(given.topic, partition, 0) for partition in range(3)])
    say("read", keys=sorted(entry[3].decode() for entry in gather(reader, given.count)))
    reader.close()


def denied(given):
    mine = consumer(given)
    mine.subscribe([given.topic])
    say_records(gather(mine, 1))


def mixed(given):
    """Two topics, of which the second is denied: what is read and written of each, and a transaction that is denied."""
    topics = given.topic.split(",")
    mine, records, refused = consumer(given), 0, set()
    mine.assign([TopicPartition(topic, 0, 0) for topic in topics])
    while records < given.count or not refused:
        message = mine.poll(0.2)
        if message is None:
            continue
        if message.error():
            refused.add((topics.index(message.topic()), message.error().name()))
        else:
            say("read", topic=topics.index(message.topic()), offset=message.offset())
            records += 1
    mine.close()
    for index, name in sorted(refused):
        say("refused", topic=index, name=name)
    results = []
    producer = Producer(settings(given))
    for index, topic in enumerate(topics):
        producer.produce(topic, b"{}", b"k", partition=0, on_delivery=lambda failure, _, index=index: results.append(
            (index, failure.name() if failure else "stored")))
    producer.flush(20)
    for index, name in sorted(results):
        say("written", topic=index, name=name)
    transactional = Producer(settings(given, **{"transactional.id": "not-mine"}))
    try:
        transactional.init_transactions(10)
        say("transactional")
    except KafkaException as failure:
        error(failure)


def describe(given):
    """What an administrator asks: names and addresses of brokers, and their settings."""
    mine = AdminClient(settings(given))
    cluster = mine.describe_cluster(request_timeout=20).result(20)
    say("cluster", nodes=sorted([node.id, node.host, node.port] for node in cluster.nodes))
    for kind, name in (ResourceType.BROKER, "1"), (ResourceType.TOPIC, given.topic):
        for future in mine.describe_configs([ConfigResource(kind, name)], request_timeout=20).values():
            say("configs", names=sorted(future.result(20)))


def members(given):
    """The members of a group while they are there, as its description tells them."""
    mine = consumer(given)
    mine.subscribe([given.topic])
    while len(mine.assignment()) < 3:
        mine.poll(0.1)
    asking = AdminClient(settings(given))
    for future in asking.describe_consumer_groups([given.group], request_timeout=20).values():
        say("members", hosts=[member.host for member in future.result(20).members])
    mine.close()


def tail(given):
    """Says each record as it comes, until there are as many as were asked for."""
    mine, seen = consumer(given), 0
    mine.subscribe([given.topic])
    while seen < given.count:
        message = mine.poll(0.2)
        if message is None or message.error():
            continue
        seen += 1
        say("record", key=message.key().decode())
    mine.close()


def refresh(given):
    """Reads for as many seconds as were asked for records, and says how many times the log-in failed."""
    refusals = []
    mine = consumer(given, error_cb=lambda failure: refusals.append(failure.code()))
    mine.assign([TopicPartition(given.topic, 0, 0)])
    until = time.monotonic() + given.count
    while time.monotonic() < until:
        mine.poll(0.2)
    say("refused", log_ins=refusals.count(KafkaError._AUTHENTICATION))
    mine.close()


if __name__ == "__main__":
    given = arguments()
    try:
        globals()[given.action](given)
    except KafkaException as failure:
        error(failure)
