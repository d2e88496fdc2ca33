"""FF1 as NIST SP 800-38G writes it (algorithms 7, steps as numbered there), on Python's integers: `ff1.py SEED COUNT`.

Prints cases: key, radix, tweak, plain and encrypted symbols, as hexadecimal and comma-separated numbers, tabs between.
"""
import math
import random
import sys

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes


def prf(key, text):
    encryptor = Cipher(algorithms.AES(key), modes.CBC(bytes(16))).encryptor()
    return (encryptor.update(text) + encryptor.finalize())[-16:]


def ciph(key, block):
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    return encryptor.update(block) + encryptor.finalize()


def num(symbols, radix):
    value = 0
    for symbol in symbols:
        value = value * radix + symbol
    return value


def numeral(value, count, radix):
    symbols = []
    for _ in range(count):
        value, symbol = divmod(value, radix)
        symbols.append(symbol)
    return symbols[::-1]


def encrypt(key, radix, tweak, plain):
    n, t = len(plain), len(tweak)
    u = n // 2
    v = n - u
    left, right = plain[:u], plain[u:]
    b = ((radix ** v - 1).bit_length() + 7) // 8
    d = 4 * math.ceil(b / 4) + 4
    p = bytes([1, 2, 1]) + radix.to_bytes(3, "big") + bytes([10, u % 256]) + n.to_bytes(4, "big") + t.to_bytes(4, "big")
    for i in range(10):
        q = tweak + bytes((-t - b - 1) % 16) + bytes([i]) + num(right, radix).to_bytes(b, "big")
        r = prf(key, p + q)
        s = r + b"".join(ciph(key, (int.from_bytes(r, "big") ^ j).to_bytes(16, "big")) for j in range(1, math.ceil(d / 16)))
        y = int.from_bytes(s[:d], "big")
        m = u if i % 2 == 0 else v
        left, right = right, numeral((num(left, radix) + y) % radix ** m, m, radix)
    return left + right


def main(seed, count):
    r = random.Random(seed)
    for _ in range(count):
        radix = r.choice([2, 10, 10, 10, 16, 26, 36, 52, 62, r.randint(2, 62)])
        least = math.ceil(math.log(1_000_000, radix))
        length = r.choice([least, least + 1, r.randint(max(2, least), 60), r.randint(max(2, least), 272)])
        key, tweak = r.randbytes(r.choice([16, 24, 32])), r.randbytes(r.choice([0, 1, 7, 8, 15, 16, 17, r.randint(0, 80)]))
        # Runs of the lowest and the highest symbol carry and borrow the farthest.
        low, high = r.choice([(0, radix - 1), (0, 0), (radix - 1, radix - 1), (0, 1)])
        plain = [r.randint(low, max(low, high)) for _ in range(length)]
        encrypted = encrypt(key, radix, tweak, plain)
        print(key.hex(), radix, tweak.hex(), ",".join(map(str, plain)), ",".join(map(str, encrypted)), sep="\t")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
