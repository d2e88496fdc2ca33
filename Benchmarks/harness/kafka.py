"""A real Apache Kafka for one benchmark run (KAFKA_HOME, or `../shared/kafka`)."""
import json
import os
import random
import re
import subprocess

from .gateway import ROOT
from .processes import Unavailable, run


def script():
    home = os.environ.get("KAFKA_HOME") or os.path.join(os.path.dirname(ROOT), "shared", "kafka")
    if os.access(os.path.join(home, "kafka"), os.X_OK):
        return os.path.join(home, "kafka")
    if os.access(os.path.join(home, "bin", "kafka-server-start.sh"), os.X_OK):
        return os.path.join(ROOT, "scripts", "kafka")
    raise Unavailable(f"no Apache Kafka: {home} has neither a `kafka` launcher nor bin/kafka-server-start.sh")


class Kafka:
    """One broker. Port P is for direct clients, P + 20 is advertised as `via` (for a plain TCP proxy)."""

    OFFSETS = (0, 20, 50, 51)

    def __init__(self, folder, port, via):
        self.tool_script, self.folder, self.port = script(), folder, port
        self.bootstrap = f"127.0.0.1:{port}"
        done = subprocess.run(
            [self.tool_script, "start", folder, "--port", str(port), "--via", str(via),
             "--set", "log.retention.check.interval.ms=3000", "--set", "log.segment.delete.delay.ms=1000"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=150)
        if done.returncode != 0:
            self.stop()
            raise Unavailable(f"Kafka does not start:\n{done.stdout[-1500:]}")

    def tool(self, *arguments, seconds=120, core=None, heap=512):
        environment = dict(os.environ, KAFKA_TOOL_HEAP=str(heap))
        return run([self.tool_script, *arguments], seconds, core=core, env=environment)

    def create(self, topic, partitions, **settings):
        options = [part for name, value in settings.items() for part in ("--config", f"{name.replace('_', '.')}={value}")]
        self.tool("topics", "--bootstrap-server", self.bootstrap, "--create", "--topic", topic, "--partitions",
                  str(partitions), *options)

    def seed(self, topic, records, payloads, compression):
        output, took = self.produce(self.bootstrap, topic, records, payloads, compression, None, seconds=600)
        return output, took

    def produce(self, bootstrap, topic, records, payloads, compression, client, seconds=180, core=None, acks="all"):
        """producer-perf-test. Returns megabytes (10^6) a second over the whole run, and the wall-clock seconds."""
        options = ["--bootstrap-server", bootstrap, "--topic", topic, "--num-records", str(records), "--throughput", "-1",
                   "--payload-file", payloads, "--command-property", f"acks={acks}", f"compression.type={compression}",
                   "batch.size=262144", "linger.ms=5"]
        if client:
            options += ["--command-config", client]
        output, took = self.tool("producer-perf", *options, seconds=seconds, core=core)
        found = re.findall(r"([0-9]+) records sent, ([0-9.]+) records/sec \(([0-9.]+) MB/sec\)", output)
        if not found or int(found[-1][0]) != records:
            raise Unavailable(f"producer-perf sent {found[-1][0] if found else 0} of {records} records:\n{output[-1500:]}")
        return float(found[-1][2]) * 1.048576, took

    def consume(self, bootstrap, topic, records, group, client, seconds=180, core=None):
        """consumer-perf-test. Returns megabytes (10^6) a second without the group's joining, and the bytes consumed."""
        options = ["--bootstrap-server", bootstrap, "--topic", topic, "--num-records", str(records), "--group", group,
                   "--timeout", "30000", "--hide-header"]
        if client:
            options += ["--command-config", client]
        output, _ = self.tool("consumer-perf", *options, seconds=seconds, core=core)
        rows = [line for line in output.splitlines() if re.match(r"\d{4}-\d\d-\d\d .*,", line)]
        if not rows:
            raise Unavailable(f"consumer-perf printed no figures:\n{output[-1500:]}")
        fields = [field.strip() for field in rows[-1].split(",")]
        megabytes, count, rate = float(fields[2]), int(fields[4]), float(fields[8])
        if count < records:
            raise Unavailable(f"consumer-perf got {count} of {records} records:\n{output[-1500:]}")
        return rate * 1.048576, megabytes * 1.048576e6

    def stop(self):
        subprocess.run([self.tool_script, "stop", self.folder], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=120)


def orders(path, count, size):
    """A file of `count` different order documents of about `size` bytes, a line each; returns their mean size."""
    chosen = random.Random(20261124)
    total = 0
    streets = ["Karlsplatz", "Via Roma", "Main Street", "Rue de Rivoli", "Kungsgatan", "Gran Via", "Oxford Street"]
    with open(path, "w") as out:
        for number in range(count):
            order = {
                "id": f"ord-{number:08d}", "created": f"2026-11-{chosen.randrange(1, 29):02d}T12:{number % 60:02d}:00Z",
                "customer": {
                    "name": f"Customer {chosen.randrange(10**6)}", "email": f"c{chosen.randrange(10**9)}@example.com",
                    "phone": f"+43{chosen.randrange(10**9):09d}"},
                "payment": {"card": {"number": f"4{chosen.randrange(10**15):015d}", "expires": "11/29"}, "currency": "EUR"},
                "shipping": {"address": {
                    "street": f"{chosen.choice(streets)} {chosen.randrange(200)}", "city": "Wien",
                    "zip": f"{chosen.randrange(9999):04d}"}},
                "items": [],
            }
            while len(json.dumps(order, separators=(",", ":"))) < size - 90:
                order["items"].append({
                    "sku": f"SKU-{chosen.randrange(10**8):08d}", "quantity": chosen.randrange(1, 9),
                    "price": chosen.randrange(100, 99999) / 100})
            text = json.dumps(order, separators=(",", ":"))
            text = text[:-1] + ',"note":"' + "%0*x" % (max(1, size - len(text) - 10), chosen.getrandbits(160)) + '"}'
            out.write(text + "\n")
            total += len(text)
    return total / count
