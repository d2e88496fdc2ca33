"""National identifiers: valid values as people write them, and how to see that they are valid.

Every maker takes a `random.Random` and returns (text, alone): `alone` says that the text, as written, is recognisable without
a word beside it (a checksum and a shape that nothing else has); what is not is only ever put where a word or a field names it.
Sources of the formats: the issuing authorities' publications; python-stdnum is the oracle wherever it knows the number.
"""
import datetime
import re
import string

from stdnum import luhn, verhoeff
from stdnum.br import cnpj, cpf
from stdnum.ca import sin
from stdnum.cn import ric
from stdnum.de import idnr
from stdnum.es import nie, nif
from stdnum.fr import nir
from stdnum.gb import nhs
from stdnum.in_ import aadhaar
from stdnum.it import codicefiscale
from stdnum.nl import bsn
from stdnum.pl import pesel
from stdnum.us import itin, rtn, ssn


def digits(r, count):
    return "".join(r.choices(string.digits, k=count))


def grouped(text, sizes, separator):
    parts, at = [], 0
    for size in sizes:
        parts.append(text[at:at + size])
        at += size
    return separator.join(parts)


def until(make, good):
    """The first made value that is good: for check digits that do not exist for every body."""
    while True:
        made = make()
        if good(made):
            return made


def day(r, first=1935, last=2006):
    return datetime.date(first, 1, 1) + datetime.timedelta(days=r.randrange((last - first) * 365))


def bare(text):
    return "".join(c for c in text if c.isalnum())


def us_ssn(r):
    body = until(lambda: digits(r, 9), lambda d: ssn.is_valid(d) and d[0] != "9")
    form = r.choices(["dash", "space", "none"], [75, 10, 15])[0]
    return {"dash": (grouped(body, (3, 2, 4), "-"), True), "space": (grouped(body, (3, 2, 4), " "), False),
            "none": (body, False)}[form]


def us_itin(r):
    body = until(lambda: "9" + digits(r, 8), itin.is_valid)
    return r.choices([(grouped(body, (3, 2, 4), "-"), True), (body, False)], [80, 20])[0]


def us_aba(r):
    def make():
        first = r.choice([f"{n:02d}" for n in [*range(1, 13), *range(21, 33)]])
        return first + digits(r, 7)
    return until(make, rtn.is_valid), False


def npi_valid(text):
    return len(text) == 10 and text[0] in "12" and luhn.is_valid("80840" + text)


def us_npi(r):
    body = r.choice("12") + digits(r, 8)
    return body + luhn.calc_check_digit("80840" + body), False


MBI_LETTERS = "ACDEFGHJKMNPQRTUVWXY"


def mbi_valid(text):
    d, a, x = string.digits, MBI_LETTERS, string.digits + MBI_LETTERS
    shape = (d[1:], a, x, d, a, x, d, a, a, d, d)
    plain = bare(text)
    return len(plain) == 11 and all(c in allowed for c, allowed in zip(plain, shape))


def us_mbi(r):
    d, a, x = string.digits, MBI_LETTERS, string.digits + MBI_LETTERS
    body = "".join(r.choice(allowed) for allowed in (d[1:], a, x, d, a, x, d, a, a, d, d))
    return r.choices([(grouped(body, (4, 3, 4), "-"), True), (body, False)], [60, 40])[0]


def dea_valid(text):
    d = [int(c) for c in text[2:]]
    return len(d) == 7 and text[:2].isalpha() and (d[0] + d[2] + d[4] + 2 * (d[1] + d[3] + d[5])) % 10 == d[6]


def us_dea(r):
    d = [r.randrange(10) for _ in range(6)]
    check = (d[0] + d[2] + d[4] + 2 * (d[1] + d[3] + d[5])) % 10
    return r.choice("ABFGMPR") + r.choice(string.ascii_uppercase) + "".join(map(str, d)) + str(check), False


def uk_nhs(r):
    body = until(lambda: r.choice("4679") + digits(r, 9), nhs.is_valid)
    return (grouped(body, (3, 3, 4), " ") if r.random() < 0.6 else body), False


NINO_BAD = {"BG", "GB", "NK", "KN", "TN", "NT", "ZZ"}


def nino_valid(text):
    plain = bare(text)
    return (len(plain) == 9 and plain[0] in "ABCEGHJKLMNOPRSTWXYZ" and plain[1] in "ABCEGHJKLMNPRSTWXYZ"
            and plain[:2] not in NINO_BAD
            and plain[2:8].isdigit() and plain[8] in "ABCD")


def uk_nino(r):
    body = until(lambda: "".join(r.choices(string.ascii_uppercase, k=2)) + digits(r, 6) + r.choice("ABCD"), nino_valid)
    return (grouped(body, (2, 2, 2, 2, 1), " ") if r.random() < 0.5 else body), True


def ca_sin(r):
    body = until(lambda: r.choice("12345679") + digits(r, 8), sin.is_valid)
    return r.choices([grouped(body, (3, 3, 3), " "), grouped(body, (3, 3, 3), "-"), body], [45, 30, 25])[0], False


def in_aadhaar(r):
    def make():
        body = r.choice("23456789") + digits(r, 10)
        return body + verhoeff.calc_check_digit(body)
    body = until(make, aadhaar.is_valid)
    return r.choices([grouped(body, (4, 4, 4), " "), grouped(body, (4, 4, 4), "-"), body], [60, 10, 30])[0], False


def in_pan_valid(text):
    return (len(text) == 10 and text[:5].isalpha() and text[3] in "ABCFGHJLPT" and text[5:9].isdigit() and text[5:9] != "0000"
            and text[9].isalpha() and text.isupper())


def in_pan(r):
    letters = string.ascii_uppercase
    make = lambda: "".join(r.choices(letters, k=3)) + r.choice("PPPPCHF") + r.choice(letters) + digits(r,
        4) + r.choice(letters)  # noqa: E731
    return until(make, in_pan_valid), True


def pl_pesel(r):
    born = day(r)
    body = f"{born.year % 100:02d}{born.month + (20 if born.year >= 2000 else 0):02d}{born.day:02d}" + digits(r, 4)
    return body + pesel.calc_check_digit(body), False


def es_valid(text):
    plain = bare(text)
    return (nie if plain[0] in "XYZ" else nif).is_valid(plain)


def es_nif(r):
    number = digits(r, 8) if r.random() < 0.6 else None
    if number:
        letter = "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23]
        return number + r.choices(["", "-", " "], [70, 20, 10])[0] + letter, False
    first, rest = r.choice("XYZ"), digits(r, 7)
    letter = "TRWAGMYFPDXBNJZSQVHLCKE"[int(str("XYZ".index(first)) + rest) % 23]
    form = r.choices(["{}{}{}", "{}-{}-{}"], [70, 30])[0]
    return form.format(first, rest, letter), True


def it_codice_fiscale(r):
    consonants = "BCDFGLMNPRSTVZ"
    born, woman = day(r), r.random() < 0.5
    body = ("".join(r.choices(consonants, k=6)) + f"{born.year % 100:02d}" + "ABCDEHLMPRST"[born.month - 1]
            + f"{born.day + (40 if woman else 0):02d}" + r.choice("ABCDEFGHIL") + f"{r.randrange(1, 999):03d}")
    text = body + codicefiscale.calc_check_digit(body)
    return (text.lower(), False) if r.random() < 0.05 else (text, True)


def de_tax_id(r):
    def make():
        body = r.choice("123456789") + digits(r, 9)
        # The Bundeszentralamt gives out none with a digit three times in a row, of which stdnum knows nothing.
        return next((body + c for c in string.digits if idnr.is_valid(body + c) and not re.search(r"(\d)\1\1", body + c)), "")
    body = until(make, bool)
    return (grouped(body, (2, 3, 3, 3), " ") if r.random() < 0.4 else body), False


def sg_check(prefix, body):
    """Of the series of 2022, M, sources differ about the check letter: it is left out."""
    total = sum(int(d) * w for d, w in zip(body, (2, 7, 6, 5, 4, 3, 2))) + (4 if prefix in "TG" else 0)
    return ("JZIHGFEDCBA" if prefix in "ST" else "XWUTRQPNMLK")[total % 11]


def sg_valid(text):
    return len(text) == 9 and text[0] in "STFG" and text[1:8].isdigit() and sg_check(text[0], text[1:8]) == text[8]


def sg_nric(r):
    prefix, body = r.choice("SSTFG"), digits(r, 7)
    return prefix + body + sg_check(prefix, body), True


def br_cpf(r):
    body = until(lambda: digits(r, 9), lambda d: len(set(d)) > 1)
    plain = body + cpf._calc_check_digits(body)
    return (cpf.format(plain), True) if r.random() < 0.65 else (plain, False)


def br_cnpj(r):
    body = until(lambda: digits(r, 8), lambda d: len(set(d)) > 1) + r.choices(["0001", f"{r.randrange(2, 40):04d}"], [80, 20])[0]
    plain = body + cnpj.calc_check_digits(body)
    return (cnpj.format(plain), True) if r.random() < 0.65 else (plain, False)


CN_PLACES = ["110101", "310115", "440305", "330106", "510107", "420111", "320102", "370202", "610113", "500103"]


def cn_resident_id(r):
    def make():
        body = r.choice(CN_PLACES) + day(r).strftime("%Y%m%d") + digits(r, 3)
        return body + ric.calc_check_digit(body + "0")
    return until(make, ric.is_valid), True  # places have years


def nl_bsn(r):
    body = until(lambda: r.choice("123456789") + digits(r, 8), bsn.is_valid)
    return (grouped(body, (4, 2, 3), ".") if r.random() < 0.1 else body), False


def fr_nir(r):
    born = day(r)
    place = r.choice([f"{n:02d}" for n in range(1, 96) if n != 20]) + f"{r.randrange(1, 600):03d}"
    body = r.choice("12") + f"{born.year % 100:02d}{born.month:02d}" + place + f"{r.randrange(1, 700):03d}"
    plain = body + nir.calc_check_digits(body)
    return (grouped(plain, (1, 2, 2, 2, 3, 3, 2), " "), True) if r.random() < 0.5 else (plain, False)


def by(module):
    return lambda text: module.is_valid(bare(text))


# name: (maker, whether a written value is valid, country, has a checksum)
IDENTIFIERS = {
    "us-ssn": (us_ssn, by(ssn), "US", False),
    "us-itin": (us_itin, by(itin), "US", False),
    "us-aba": (us_aba, by(rtn), "US", True),
    "us-npi": (us_npi, npi_valid, "US", True),
    "us-mbi": (us_mbi, mbi_valid, "US", False),
    "us-dea": (us_dea, dea_valid, "US", True),
    "uk-nhs": (uk_nhs, by(nhs), "GB", True),
    "uk-nino": (uk_nino, nino_valid, "GB", False),
    "ca-sin": (ca_sin, by(sin), "CA", True),
    "in-aadhaar": (in_aadhaar, by(aadhaar), "IN", True),
    "in-pan": (in_pan, in_pan_valid, "IN", False),
    "pl-pesel": (pl_pesel, by(pesel), "PL", True),
    "es-nif": (es_nif, es_valid, "ES", True),
    "it-codice-fiscale": (it_codice_fiscale, by(codicefiscale), "IT", True),
    "de-tax-id": (de_tax_id, by(idnr), "DE", True),
    "sg-nric": (sg_nric, sg_valid, "SG", True),
    "br-cpf": (br_cpf, by(cpf), "BR", True),
    "br-cnpj": (br_cnpj, by(cnpj), "BR", True),
    "cn-resident-id": (cn_resident_id, by(ric), "CN", True),
    "nl-bsn": (nl_bsn, by(bsn), "NL", True),
    "fr-nir": (fr_nir, by(nir), "FR", True),
}
