"""RESP on a plain socket, byte for byte: what the corpus, the attacks and the clients without a library of their own speak with."""
import socket
import ssl
import time


class Refused(Exception):
    """An error reply."""


class Closed(Exception):
    """The other side ended the connection before the reply was whole."""


def encode(*words):
    """An array of bulk strings. Words are bytes, text or numbers."""
    parts = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)


def end(buffer, at=0):
    """The end of the reply that begins at `at`, or None where it is not whole yet."""
    left = 1
    while left:
        line = buffer.find(b"\r\n", at)
        if line < 0:
            return None
        kind, head = buffer[at:at + 1], buffer[at + 1:line]
        at = line + 2
        left -= 1
        if kind in b"$=!":
            if int(head) >= 0:
                at += int(head) + 2
            if at > len(buffer):
                return None
        elif kind in b"*~>":
            left += max(int(head), 0)
        elif kind in b"%|":
            # An attribute stands before the value that it speaks of.
            left += 2 * int(head) + (kind == b"|")
        elif kind not in b"+-:_#,(":
            raise ValueError(f"no RESP: {bytes(buffer[max(at - 40, 0):at + 40])!r}")
    return at


def parse(raw):
    """A reply as Python values: bulk strings are bytes, simple ones text, maps `Pairs`, errors `Refused`."""
    value, rest = _parse(raw, 0)
    assert rest == len(raw), raw
    return value


class Pairs(list):
    """A map of RESP3, in the order of the wire: a key may stand twice."""


class Push(list):
    """What RESP3 sends without being asked."""


def _parse(raw, at):
    line = raw.index(b"\r\n", at)
    kind, head, at = raw[at:at + 1], raw[at + 1:line], line + 2
    if kind in b"$=!":
        if int(head) < 0:
            return None, at
        stop = at + int(head)
        value = raw[at:stop]
        return (Refused(value.decode("utf-8", "backslashreplace")) if kind == b"!" else value), stop + 2
    if kind in b"*~>":
        if int(head) < 0:
            return None, at
        values = Push() if kind == b">" else []
        for _ in range(int(head)):
            value, at = _parse(raw, at)
            values.append(value)
        return values, at
    if kind in b"%|":
        pairs = Pairs()
        for _ in range(int(head)):
            key, at = _parse(raw, at)
            value, at = _parse(raw, at)
            pairs.append((key, value))
        return _parse(raw, at) if kind == b"|" else (pairs, at)
    text = head.decode("utf-8", "backslashreplace")
    return {b"+": lambda: text, b"-": lambda: Refused(text), b":": lambda: int(text), b"_": lambda: None,
            b"#": lambda: text == "t", b",": lambda: float(text), b"(": lambda: int(text)}[kind](), at


class Wire:
    """One connection. Every wait ends after `seconds`."""

    def __init__(self, port, user=None, secret=None, protocol=2, seconds=10, host="127.0.0.1", ca=None):
        self.socket = socket.create_connection((host, port), timeout=seconds)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if ca:
            self.socket = ssl.create_default_context(cafile=ca).wrap_socket(self.socket, server_hostname=host)
        self.buffer = bytearray()
        if protocol == 3:
            answer = self.ask("HELLO", 3, *(["AUTH", user, secret] if secret else []))
        elif secret:
            answer = self.ask("AUTH", user, secret)
        else:
            answer = None
        if isinstance(answer, Refused):
            raise answer

    def send(self, data):
        self.socket.sendall(data)

    def raw(self):
        """The bytes of the next reply."""
        while (stop := end(self.buffer)) is None:
            self._more()
        reply = bytes(self.buffer[:stop])
        del self.buffer[:stop]
        return reply

    def _more(self):
        data = self.socket.recv(1 << 16)
        if not data:
            raise Closed(bytes(self.buffer[:200]))
        self.buffer += data

    def reply(self):
        return parse(self.raw())

    def ask(self, *words):
        self.send(encode(*words))
        return self.reply()

    def gather(self, quiet=0.25, until=None, seconds=5):
        """All that comes until `until` is in it, nothing came for `quiet` seconds, or the other side closed.

        Returns the bytes, and whether the connection was closed."""
        last = time.monotonic() + seconds
        while time.monotonic() < last and (until is None or until not in self.buffer):
            self.socket.settimeout(min(quiet if until is None else 2.0, max(last - time.monotonic(), 0.01)))
            try:
                data = self.socket.recv(1 << 16)
            except (TimeoutError, ssl.SSLWantReadError):
                break
            except OSError:
                data = b""
            if not data:
                return bytes(self.buffer), True
            self.buffer += data
        return bytes(self.buffer), False

    def close(self):
        self.socket.close()
