"""Candidates of every checksum from a seed, each with what an independent implementation says of it.

Prints NAME/JUDGE<tab>CANDIDATE<tab>0 or 1. NAME is a checksum as a configuration names it. Judges are python-stdnum and
schwifty; `plain` marks what they lack (or, for Chinese regions and Bech32m, see otherwise): a reading of the published
format written here, for this purpose.

For every candidate that is complete but for its check characters, those check characters are kept that a judge accepts,
and a few of the others; then one character is changed, left out, doubled or swapped with the next.
"""

import hashlib
import json
import os
import random
import re
import sys

import schwifty
from schwifty import registry
from stdnum import bitcoin, iban, luhn
from stdnum.br import cnpj, cpf
from stdnum.ca import sin
from stdnum.cn import ric
from stdnum.de import idnr
from stdnum.es import nif
from stdnum.fr import nir
from stdnum.gb import nhs
from stdnum.in_ import aadhaar, pan
from stdnum.it import codicefiscale
from stdnum.nl import bsn
from stdnum.pl import pesel
from stdnum.us import itin, rtn, ssn

DIGITS = "0123456789"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
BOTH = DIGITS + LETTERS
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"

rng = random.Random(int(sys.argv[1]))
bases = int(sys.argv[2])


def some(alphabet, count):
    return "".join(rng.choice(alphabet) for _ in range(count))


def day(centuries=(19, 20)):
    return rng.choice(centuries), rng.randrange(100), rng.randrange(0, 14), rng.randrange(0, 33)


# What python-stdnum and schwifty do not have, or not as the gateway means it.


def plain_npi(text):
    return bool(re.fullmatch("[12][0-9]{9}", text)) and luhn.is_valid("80840" + text)


def plain_mbi(text):
    letter = "[AC-HJKMNP-RT-Y]"
    either = "[AC-HJKMNP-RT-Y0-9]"
    return bool(re.fullmatch(f"[1-9]{letter}{either}[0-9]{letter}{either}[0-9]{letter}{letter}[0-9]{{2}}", text))


def plain_dea(text):
    if not re.fullmatch("[ABCDEFGHJKLMPRSTUX][A-Z9][0-9]{7}", text):
        return False
    number = [int(c) for c in text[2:]]
    return str(sum(number[0:6:2]) + 2 * sum(number[1:6:2]))[-1] == text[-1]


def plain_nino(text):
    return bool(re.fullmatch("(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][0-9]{6}[A-D]", text))


def plain_nric(text):
    if not re.fullmatch("[STFGM][0-9]{7}[A-Z]", text):
        return False
    total = sum(w * int(c) for w, c in zip((2, 7, 6, 5, 4, 3, 2), text[1:8])) + {"T": 4, "G": 4, "M": 3}.get(text[0], 0)
    alphabet = {"S": "ABCDEFGHIZJ", "T": "ABCDEFGHIZJ", "M": "KLJNPQRTUWX"}.get(text[0], "KLMNPQRTUWX")
    return alphabet[10 - total % 11] == text[8]


def stdnum_resident(text):
    """stdnum's arithmetic and calendar; its list of counties by year is finer than the gateway's provinces."""
    if len(text) != 18 or not text[:17].isdigit() or text[17] != ric.calc_check_digit(text):
        return False
    try:
        ric.get_birth_date(text)
    except Exception:
        return False
    return True


def plain_bech32(text):
    if text != text.lower() and text != text.upper():
        return False
    text = text.lower()
    if not text.startswith("bc1") or len(text) > 90 or len(text) < 11 or any(c not in BECH32 for c in text[3:]):
        return False
    data = [BECH32.index(c) for c in text[3:]]
    version, program = data[0], "".join(f"{v:05b}" for v in data[1:-6])
    whole, rest = program[: len(program) // 8 * 8], program[len(program) // 8 * 8 :]
    count = len(whole) // 8
    if len(rest) > 4 or "1" in rest or not 2 <= count <= 40 or version > 16 or (version == 0 and count not in (20, 32)):
        return False
    return bitcoin.bech32_checksum([3, 3, 0, 2, 3] + data) == (0x2BC830A3 if version else 1)


# Candidates that are complete but for the check: (text with ? where it stands, alphabet of the check)


def registered():
    """A number of any country, its check digits open, of its registered structure."""
    country = rng.choice(COUNTRIES)
    structure = registry.get_iban_spec(country).bban_spec
    text = country + "??"
    for count, kind in re.findall(r"(\d+)!?([nac])", structure):
        text += some({"n": DIGITS, "a": LETTERS, "c": BOTH}[kind], int(count))
    return text, DIGITS


def pesel_base():
    century, year, month, day_ = day((18, 19, 20, 21, 22))
    month = month + {18: 80, 19: 0, 20: 20, 21: 40, 22: 60}[century]
    return f"{year:02}{month:02}{day_:02}{some(DIGITS, 4)}?", DIGITS


def nif_base():
    first = rng.choice([some(DIGITS, 1), rng.choice("XYZ"), rng.choice("KLM"), rng.choice("ABCDEFGHJNPQRSUVW"), some(LETTERS, 1)])
    return first + some(DIGITS, 7) + "?", BOTH


def fiscal_base():
    _, year, month, day_ = day()
    day_ += rng.choice((0, 0, 40, 40, 60))
    number = f"{year:02}?{day_:02}" + some(LETTERS, 1) + some(DIGITS, 3)
    number = "".join(
        "LMNPQRSTUV"[int(c)] if c.isdigit() and rng.random() < 0.1 else c for c in number
    ).replace("?", rng.choice("ABCDEHLMPRST" if rng.random() < 0.9 else LETTERS))
    return some(LETTERS, 6) + number + "?", LETTERS


def german_base():
    digits = list(DIGITS)
    rng.shuffle(digits)
    repeats = rng.choice((1, 1, 2, 2, 3))
    for index in range(repeats):
        digits[9 - index] = digits[0]
    rest = digits[1:]
    if rng.random() < 0.6:
        rng.shuffle(rest)
    return "".join(digits[:1] + rest) + "?", DIGITS


def resident_base():
    century, year, month, day_ = day((18, 19, 19, 20, 21))
    region = rng.choice((str(rng.randrange(10, 100)), "11", "31", "44", "51")) + some(DIGITS, 4)
    return f"{region}{century}{year:02}{month:02}{day_:02}{some(DIGITS, 3)}?", DIGITS + "X"


def nir_base():
    place = rng.choice(("2A", "2B", some(DIGITS, 2), some(DIGITS, 2)))
    month = rng.choice((f"{rng.randrange(1, 13):02}", some(DIGITS, 2)))
    return rng.choice("12121234567890") + some(DIGITS, 2) + month + place + some(DIGITS, 6) + "??", DIGITS


def base58_address():
    payload = bytes([rng.choice((0, 0, 5, 5, 6, 111))]) + bytes(rng.choice((0, 0, 1)) for _ in range(rng.choice((0, 1, 9))))
    payload += rng.randbytes(max(0, rng.choice((21, 21, 21, 20, 22)) - len(payload)))
    payload += hashlib.sha256(hashlib.sha256(payload).digest()).digest()[:4]
    value, text = int.from_bytes(payload, "big"), ""
    while value:
        value, rest = divmod(value, 58)
        text = BASE58[rest] + text
    zeros = len(payload) - len(payload.lstrip(b"\0"))
    return "1" * max(0, zeros + rng.choice((0, 0, 0, 0, 1, -1))) + text, ""


def bech32_address():
    version = rng.choice((0, 0, 0, 1, 1, 2, 16, 17))
    program = rng.randbytes(rng.choice((20, 32, 32, 20, 2, 40, 1, 41, 25)))
    bits = "".join(f"{b:08b}" for b in program)
    padding = (5 - len(bits) % 5) % 5
    bits += rng.choice(("0" * padding, "0" * padding, "1" * padding))
    if rng.random() < 0.1:
        bits += "00000"
    data = [version] + [int(bits[i : i + 5], 2) for i in range(0, len(bits), 5)]
    constant = rng.choice((1, 0x2BC830A3) if rng.random() < 0.3 else ((0x2BC830A3,) if version else (1,)))
    check = bitcoin.bech32_checksum([3, 3, 0, 2, 3] + data + [0] * 6) ^ constant
    text = "bc1" + "".join(BECH32[v] for v in data) + "".join(BECH32[check >> 5 * (5 - i) & 31] for i in range(6))
    if rng.random() < 0.2:
        text = text.upper()
    if rng.random() < 0.1:
        text = text[:5] + text[5:].swapcase()
    return text, ""


def schwifty_iban(text):
    try:
        schwifty.IBAN(text)
        return True
    except Exception:
        return False


folder = os.path.join(os.path.dirname(schwifty.__file__), "iban_registry")
COUNTRIES = sorted({c for f in ("generated.json", "overwrite.json") for c in json.load(open(os.path.join(folder, f)))})

# Name: (candidates, alphabet of changes, judges)
CHECKSUMS = {
    "luhn": (lambda: (some(DIGITS, rng.randrange(0, 20)) + "?", DIGITS), DIGITS, {"stdnum": luhn.is_valid}),
    "iban": (registered, BOTH, {"schwifty": schwifty_iban, "stdnum": lambda text: iban.is_valid(text, check_country=False)}),
    "us-aba": (lambda: (some(DIGITS, 8) + "?", DIGITS), DIGITS, {"stdnum": rtn.is_valid}),
    "us-npi": (lambda: (rng.choice("12123") + some(DIGITS, 8) + "?", DIGITS), DIGITS, {"plain": plain_npi}),
    "us-mbi": (
        lambda: ("".join(some(k, 1) for k in (DIGITS, LETTERS, BOTH, DIGITS, LETTERS, BOTH, DIGITS, LETTERS, LETTERS, DIGITS)) + "?", DIGITS),
        BOTH,
        {"plain": plain_mbi},
    ),
    "us-dea": (lambda: (some(LETTERS, 1) + rng.choice(LETTERS + "99999") + some(DIGITS, 6) + "?", DIGITS), BOTH, {"plain": plain_dea}),
    "us-ssn": (
        lambda: (rng.choice(("000", "666", "9" + some(DIGITS, 2), *[some(DIGITS, 3)] * 9)) + rng.choice(("00", *[some(DIGITS, 2)] * 9)) + rng.choice(("000", *[some(DIGITS, 3)] * 9)) + "?", DIGITS),
        DIGITS,
        {"stdnum": ssn.is_valid},
    ),
    "us-itin": (lambda: (rng.choice("99998") + some(DIGITS, 7) + "?", DIGITS), DIGITS, {"stdnum": itin.is_valid}),
    "uk-nhs": (lambda: (some(DIGITS, 9) + "?", DIGITS), DIGITS, {"stdnum": nhs.is_valid}),
    "uk-nino": (lambda: (some(LETTERS, 2) + some(DIGITS, 6) + "?", LETTERS), BOTH, {"plain": plain_nino}),
    "ca-sin": (lambda: (some(DIGITS, 8) + "?", DIGITS), DIGITS, {"stdnum": sin.is_valid}),
    "in-aadhaar": (
        lambda: (lambda half: (half + half[::-1][:5] + "?" if rng.random() < 0.2 else some(DIGITS, 11) + "?", DIGITS))(some(DIGITS, 6)),
        DIGITS,
        {"stdnum": aadhaar.is_valid},
    ),
    "in-pan": (
        lambda: (some(LETTERS, 3) + rng.choice("ABCFGHJKLPT" + some(LETTERS, 3)) + some(LETTERS, 1) + rng.choice(("0000", *[some(DIGITS, 4)] * 9)) + "?", BOTH),
        BOTH,
        {"stdnum": pan.is_valid},
    ),
    "pl-pesel": (pesel_base, DIGITS, {"stdnum": pesel.is_valid}),
    "es-nif": (nif_base, BOTH, {"stdnum": nif.is_valid}),
    "it-codice-fiscale": (fiscal_base, BOTH, {"stdnum": codicefiscale.is_valid}),
    "de-tax-id": (german_base, DIGITS, {"stdnum": idnr.is_valid}),
    "sg-nric": (lambda: (rng.choice("STFGMSTFGMA") + some(DIGITS, 7) + "?", LETTERS), BOTH, {"plain": plain_nric}),
    "br-cpf": (lambda: (rng.choice((some(DIGITS, 9), some(DIGITS, 9), some(DIGITS, 1) * 9)) + "??", DIGITS), DIGITS, {"stdnum": cpf.is_valid}),
    "br-cnpj": (lambda: (rng.choice((some(DIGITS, 12), some(DIGITS, 12), some(BOTH, 12), "0" * 12)) + "??", DIGITS), BOTH, {"stdnum": cnpj.is_valid}),
    "cn-resident-id": (resident_base, DIGITS + "X", {"stdnum": stdnum_resident}),
    "nl-bsn": (lambda: (some(DIGITS, 8) + "?", DIGITS), DIGITS, {"stdnum": bsn.is_valid}),
    "fr-nir": (nir_base, DIGITS + "AB", {"stdnum": nir.is_valid}),
    "btc-base58": (base58_address, BASE58, {"stdnum": bitcoin.is_valid}),
    "btc-bech32": (bech32_address, BECH32, {"plain": plain_bech32, "stdnum": bitcoin.is_valid}),
}


def completed(text, alphabet):
    """Every way to fill in the check."""
    if "?" not in text:
        return [text]
    return [done for c in alphabet for done in completed(text.replace("?", c, 1), alphabet)]


def changed(text, alphabet):
    at = rng.randrange(len(text))
    way = rng.randrange(8)
    if way == 0:
        return text[:at] + text[at + 1 :]
    if way == 1:
        return text[:at] + text[at] + text[at:]
    if way == 2:
        return text[:at] + text[at : at + 2][::-1] + text[at + 2 :]
    return text[:at] + rng.choice(alphabet) + text[at + 1 :]


SPECIAL = {
    "it-codice-fiscale": ["00743110157"],
    "es-nif": ["ES54362315K"],
    "btc-bech32": ["1NEDqZPvTWRaoho48qXuLLsrYomMXPABfD"],
    "us-ssn": ["078051120", "219099999", "457555462"],
    "uk-nhs": ["0" * 10, "9434765919"],
    "us-aba": ["0" * 9, "111000025", "021000021"],
    "nl-bsn": ["0" * 9, "111222333"],
    "br-cpf": [d * 11 for d in DIGITS],
}

lines = []
for name, (base, alphabet, judges) in CHECKSUMS.items():
    candidates = list(SPECIAL.get(name, []))
    for _ in range(bases):
        text, check = base()
        complete = completed(text, check)
        # Of many ways, those that some judge accepts and a few of the others.
        good = [c for c in complete if any(judge(c) for judge in judges.values())]
        kept = good + rng.sample(complete, min(len(complete), 8))
        candidates += kept
        candidates += [changed(rng.choice(good or kept), alphabet) for _ in range(8)]
        candidates.append(some(alphabet, rng.choice((len(text), len(text), rng.randrange(1, 40)))))
    for candidate in candidates:
        for judge, accepts in judges.items():
            lines.append(f"{name}/{judge}\t{candidate}\t{int(bool(candidate) and accepts(candidate))}")
sys.stdout.write("\n".join(lines) + "\n")
