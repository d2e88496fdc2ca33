"""Cards, IBANs and Bitcoin addresses: valid values as people write them. (text, alone) as in identifiers.py."""
import hashlib
import string

from stdnum import bitcoin, iban, luhn

from .identifiers import digits, grouped, until

# brand: (prefixes, lengths with weights, groups by length, recognisable without a word beside it)
BRANDS = {
    "visa": (["4"], {16: 1}, True),
    "visa-old": (["4"], {13: 1}, False),
    "visa-long": (["4"], {19: 1}, False),
    "mastercard": (["51", "52", "53", "54", "55"], {16: 1}, True),
    "mastercard-2": ([str(n) for n in range(2221, 2721, 7)], {16: 1}, True),
    "amex": (["34", "37"], {15: 1}, True),
    "discover": (["6011", "644", "646", "649", "65"], {16: 1}, True),
    "diners": (["300", "303", "305", "36", "38"], {14: 1}, True),
    "jcb": (["3528", "3530", "3566", "3589"], {16: 1}, True),
    "unionpay": (["6221", "6225", "6250", "6282"], {16: 3, 19: 1}, True),
    "maestro": (["5018", "5020", "5038", "6304", "6759", "6761", "6763"], {12: 1, 13: 1, 16: 3, 18: 1, 19: 2}, False),
    "mir": (["2200", "2202", "2204"], {16: 1}, True),
    "rupay": (["6521", "6522", "5085", "6070"], {16: 1}, False),
}
WEIGHTS = [30, 2, 2, 20, 8, 12, 8, 6, 6, 5, 5, 3, 3]
GROUPS = {12: (4, 4, 4), 13: (4, 3, 3, 3), 14: (4, 6, 4), 15: (4, 6, 5), 16: (4, 4, 4, 4), 18: (6, 12), 19: (4, 4, 4, 4, 3)}
FULL_WIDTH = {ord(c): 0xFF10 + i for i, c in enumerate(string.digits)}


def card_digits(text):
    return "".join(str(ord(c) - 0xFF10) if 0xFF10 <= ord(c) <= 0xFF19 else c for c in text if c.isdecimal())


def card_valid(text):
    plain = card_digits(text)
    return 12 <= len(plain) <= 19 and luhn.is_valid(plain) and any(
        plain.startswith(tuple(prefixes)) and len(plain) in lengths for prefixes, lengths, _ in BRANDS.values())


def in_issuer_range(plain):
    """Whether digits would be taken for a card by anybody: Luhn, a length of cards, and an issuer's first digits."""
    return 12 <= len(plain) <= 19 and plain[0] in "23456" and luhn.is_valid(plain)


def card(r):
    prefixes, lengths, alone = BRANDS[r.choices(list(BRANDS), WEIGHTS)[0]]
    length = r.choices(list(lengths), list(lengths.values()))[0]
    body = r.choice(prefixes)
    body += digits(r, length - 1 - len(body))
    plain = body + luhn.calc_check_digit(body)
    form = r.choices(["none", " ", "-", ".", "\u00a0", "wide", "zero"], [48, 30, 12, 4, 3, 1.5, 1.5])[0]
    if form == "none":
        return plain, alone
    if form == "wide":
        return plain.translate(FULL_WIDTH), alone
    separator = "\u200b" if form == "zero" else form
    return grouped(plain, GROUPS[length], separator), alone


# Lengths and shapes of account numbers: SWIFT's IBAN registry (n digits, a capitals, c both).
BBANS = {
    "DE": "18n", "FR": "10n11c2n", "ES": "20n", "IT": "1a10n12c", "NL": "4a10n", "BE": "12n", "AT": "16n", "CH": "5n12c",
         "GB": "4a14n",
    "IE": "4a14n", "PL": "24n", "PT": "21n", "SE": "20n", "NO": "11n", "DK": "14n", "FI": "14n", "CZ": "20n", "HU": "24n",
         "RO": "4a16c",
    "GR": "7n16c", "TR": "6n16c", "AE": "19n", "SA": "2n18c", "LU": "3n13c", "LT": "16n", "HR": "17n", "BG": "4a6n8c",
         "EE": "16n", "MT": "4a5n18c",
    "BR": "23n1a1c",
}


def bban(r, shape):
    out, count = "", ""
    for c in shape:
        if c.isdigit():
            count += c
        else:
            allowed = {"n": string.digits, "a": string.ascii_uppercase,
                       "c": string.digits + (string.ascii_uppercase if r.random() < 0.3 else "")}[c]
            out, count = out + "".join(r.choices(allowed, k=int(count))), ""
    return out


def iban_of(r, country):
    body = bban(r, BBANS[country])
    return country + iban.calc_check_digits(country + "00" + body) + body


def iban_maker(r):
    # Some countries check within the account number too: those that python-stdnum refuses are drawn again.
    country = r.choice(list(BBANS))
    if country == "BE":
        body = digits(r, 10)
        body += f"{int(body) % 97 or 97:02d}"
        plain = "BE" + iban.calc_check_digits("BE00" + body) + body
    elif country == "ES":
        body = digits(r, 8)
        account = digits(r, 10)
        body += es_digit("00" + body) + es_digit(account) + account
        plain = "ES" + iban.calc_check_digits("ES00" + body) + body
    else:
        plain = until(lambda: iban_of(r, country), lambda text: iban.is_valid(text, check_country=False))
    form = r.choices(["none", " ", "-", "lower"], [45, 48, 4, 3])[0]
    if form == "lower":
        return plain.lower(), False
    return ("".join(plain) if form == "none" else form.join(plain[i:i + 4] for i in range(0, len(plain), 4))), True


def es_digit(text):
    rest = 11 - sum(int(d) * w for d, w in zip(text, (1, 2, 4, 8, 5, 10, 9, 7, 3, 6))) % 11
    return {10: "1", 11: "0"}.get(rest, str(rest))


def iban_valid(text):
    return iban.is_valid(text, check_country=False) and len(iban.compact(text)) - 4 == len(bban_length(iban.compact(text)[:2]))


def bban_length(country):
    count, total = "", 0
    for c in BBANS[country]:
        if c.isdigit():
            count += c
        else:
            total, count = total + int(count), ""
    return "x" * total


BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def base58check(version, payload):
    data = bytes([version]) + payload
    data += hashlib.sha256(hashlib.sha256(data).digest()).digest()[:4]
    number, out = int.from_bytes(data, "big"), ""
    while number:
        number, rest = divmod(number, 58)
        out = BASE58[rest] + out
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + out


def bech32(version, program):
    """BIP 173 for version 0, BIP 350 for others."""
    bits = "".join(f"{byte:08b}" for byte in program)
    bits += "0" * (-len(bits) % 5)
    data = [version] + [int(bits[i:i + 5], 2) for i in range(0, len(bits), 5)]
    check = 1
    for value in [3, 3, 0, 2, 3] + data + [0] * 6:
        top, check = check >> 25, (check & 0x1FFFFFF) << 5 ^ value
        for i, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= generator if top >> i & 1 else 0
    check ^= 0x2BC830A3 if version else 1
    return "bc1" + "".join(BECH32[v] for v in data + [check >> 5 * (5 - i) & 31 for i in range(6)])


def btc(r):
    kind = r.choices(["p2pkh", "p2sh", "p2wpkh", "p2wsh", "p2tr"], [35, 20, 25, 10, 10])[0]
    if kind == "p2pkh":
        return base58check(0, r.randbytes(20)), True
    if kind == "p2sh":
        return base58check(5, r.randbytes(20)), True
    return bech32(1 if kind == "p2tr" else 0, r.randbytes(20 if kind == "p2wpkh" else 32)), True


def btc_valid(text):
    # python-stdnum 2.2 knows base58 and version 0; of version 1 the checksum is proved by making it again in check.py.
    return bitcoin.is_valid(text) or (text.startswith("bc1p") and len(text) == 62)


PAYMENTS = {
    "credit-card": (card, card_valid, None, True),
    "iban": (iban_maker, iban_valid, None, True),
    "btc": (btc, btc_valid, None, True),
}
