"""A plain socket read by hiredis: the scenario in words, in RESP2 or RESP3, one by one and all in one write."""
import socket
import ssl

import hiredis
from redis_common import arguments, plain, say
from redis_wire import encode
from redis_words import STEPS


class Client:
    def __init__(self, given):
        self.socket = socket.create_connection((given.host, given.port), timeout=20)
        if given.ca:
            self.socket = ssl.create_default_context(cafile=given.ca).wrap_socket(self.socket, server_hostname=given.host)
        self.reader = hiredis.Reader(protocolError=ValueError, replyError=RuntimeError, notEnoughData=Ellipsis)
        answer = self.ask([b"HELLO", b"3", b"AUTH", given.user, given.token] if given.protocol == 3
                          else [b"AUTH", given.user, given.token])
        if isinstance(answer, Exception):
            raise answer

    def reply(self):
        while (value := self.reader.gets()) is Ellipsis:
            data = self.socket.recv(1 << 16)
            if not data:
                raise SystemExit("the connection was closed")
            self.reader.feed(data)
        return value

    def ask(self, words):
        self.socket.sendall(encode(*words))
        return self.reply()


def tell(words, value, leave):
    say(" ".join(words), plain(value if leave is None else leave(value)))


if __name__ == "__main__":
    given = arguments(__doc__, protocol={"type": int, "choices": [2, 3], "default": 2})
    client = Client(given)
    for words, leave in STEPS:
        tell(words, client.ask(words), leave)
    # Again, on top of what is there now, as one pipeline.
    client.socket.sendall(b"".join(encode(*words) for words, _ in STEPS))
    for words, leave in STEPS:
        tell(words, client.reply(), leave)
