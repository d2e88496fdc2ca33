"""The gateway under measurement: which binary, its keys and tokens, its configuration."""
import base64
import json
import os
import subprocess
import time
import urllib.error
import urllib.request

from .processes import Measured, Unavailable

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ISSUER = "https://idp.bench.invalid"
AUDIENCE = "tidegate"


def binary():
    """The executable and what it is: the stand-alone one of `make dist` before the one of `make build`."""
    given = os.environ.get("TIDEGATE")
    if given:
        if not os.access(given, os.X_OK):
            raise Unavailable(f"TIDEGATE={given} is not executable")
        return given, "given by TIDEGATE"
    dist = os.path.join(ROOT, ".build-dist", "tidegate")
    if os.access(dist, os.X_OK):
        return dist, "make dist (static Swift runtime)"
    release = os.path.join(ROOT, ".build", "release", "tidegate")
    if os.access(release, os.X_OK):
        return release, "make build (NOT the distributed binary: make dist was not run)"
    raise Unavailable("no tidegate binary: run `make dist` (or `make build`), or name one with TIDEGATE=")


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Issuer:
    """A key of our own and tokens signed with it; the gateway reads the key from a file (`jwksFile`)."""

    def __init__(self, folder):
        self.key = os.path.join(folder, "issuer.key")
        self.jwks = os.path.join(folder, "jwks.json")
        openssl("genrsa", "-out", self.key, "2048")
        modulus = openssl("rsa", "-in", self.key, "-noout", "-modulus").decode().strip().split("=", 1)[1]
        key = {
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": "bench", "e": "AQAB", "n": base64url(bytes.fromhex(modulus)),
        }
        with open(self.jwks, "w") as out:
            json.dump({"keys": [key]}, out)

    def token(self, subject, groups=("benchers",), seconds=6 * 3600):
        now = int(time.time())
        head = {"alg": "RS256", "typ": "JWT", "kid": "bench"}
        claims = {
            "iss": ISSUER, "aud": AUDIENCE, "sub": subject, "groups": list(groups), "iat": now, "nbf": now,
            "exp": now + seconds,
        }
        signed = ".".join(base64url(json.dumps(part).encode()) for part in (head, claims))
        signature = openssl("dgst", "-sha256", "-sign", self.key, "-binary", given=signed.encode())
        return f"{signed}.{base64url(signature)}"


def openssl(*arguments, given=None):
    return subprocess.run(["openssl", *arguments], input=given, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          check=True, timeout=60).stdout


def certificate(folder):
    """A self-signed certificate for the loopback; clients are told to trust it."""
    path, key = os.path.join(folder, "gateway.pem"), os.path.join(folder, "gateway.key")
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "7", "-subj",
            "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", path)
    os.chmod(key, 0o600)
    return path, key


def configuration(folder, issuer, *, bootstrap, listen, nodes, admin, tls=None, masked=False, driver="auto", loops=1,
                  topics="bench-*", durability="strict"):
    """Writes the YAML of one gateway with one Kafka route (CONTRACT.md, Configuration).

    `nodes` is the range of ports at which brokers 1, 2, ... are advertised.
    """
    os.makedirs(os.path.join(folder, "evidence"), exist_ok=True)
    lines = [
        "identity:",
        "  issuers:",
        f"    - {{ issuer: \"{ISSUER}\", audience: {AUDIENCE}, jwksFile: {issuer.jwks}, groupsClaim: groups }}",
        "backends:",
        f"  bench-kafka: {{ kafka: {{ bootstrap: [{bootstrap}] }} }}",
        "routes:",
        "  - name: bench",
        f"    listen: 127.0.0.1:{listen}",
        "    backend: bench-kafka",
        f"    advertise: {{ host: 127.0.0.1, ports: {nodes[0]}-{nodes[1]}, firstBroker: 1 }}",
    ]
    if tls:
        lines.append(f"    tls: {{ certificate: {tls[0]}, key: {tls[1]} }}")
    lines += [
        "policies:",
        "  - name: benchers use bench topics",
        "    subjects: { subjects: [\"bench*\"] }",
        "    routes: [bench]",
        "    actions: [describe, consume, produce, commit]",
        f"    resources: {{ topics: [\"{topics}\"], groups: [\"bench-*\"] }}",
        "    effect: allow",
    ]
    if masked:
        lines += [
            "    masking: pii",
            "masking:",
            "  profiles:",
            "    pii:",
            "      onFailure: redact-value",
            "      rules:",
            "        - { field: payment.card.number, action: { keepLast: 4 } }",
            "        - { field: customer.email, action: redact }",
            "        - { field: \"shipping.address.street\", action: redact }",
        ]
    lines += [
        f"evidence: {{ directory: {os.path.join(folder, 'evidence')}, durability: {durability}, onFailure: stop }}",
        f"transport: {{ driver: {driver}, loops: {loops} }}",
        f"admin: {{ listen: \"127.0.0.1:{admin}\" }}",
    ]
    path = os.path.join(folder, "tidegate.yaml")
    with open(path, "w") as out:
        out.write("\n".join(lines) + "\n")
    return path


def serve(name, executable, config, *, port, admin, log, core=None):
    """Starts `tidegate serve` and waits until it is ready."""
    process = Measured(name, [executable, "serve", "--config", config], log, core=core)
    try:
        process.wait_for(port, 20)
        until = time.monotonic() + 20
        while not ready(admin):
            if not process.alive() or time.monotonic() > until:
                raise Unavailable(f"{name} is not ready (/readyz):\n{process.tail()}")
            time.sleep(0.1)
    except Unavailable:
        process.stop()
        raise
    return process


def ready(admin):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{admin}/readyz", timeout=2) as answer:
            return answer.status == 200
    except (urllib.error.URLError, OSError):
        return False
