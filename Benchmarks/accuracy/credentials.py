"""Addresses of machines, e-mail addresses, dates of birth and secrets.

(text, alone) as in identifiers.py. All made up: none opens anything.
"""
import base64
import ipaddress
import json
import math
import re
import string
import unicodedata
import zlib

from .identifiers import day

WORD = string.ascii_letters + string.digits


def pick(r, alphabet, count):
    return "".join(r.choices(alphabet, k=count))


def ipv4(r):
    while True:
        text = ".".join(str(r.randrange(256)) for _ in range(4))
        address = ipaddress.IPv4Address(text)
        if text.split(".")[0] not in ("0", "127") and not address.is_multicast and not address.is_reserved:
            return text, True


def ipv4_valid(text):
    return isinstance(ipaddress.ip_address(text), ipaddress.IPv4Address)


def ipv6(r):
    groups = [r.choice(["2001", "2a02", "2600", "fd12", "2404"])] + [f"{r.randrange(65536):x}" for _ in range(7)]
    form = r.choices(["full", "short", "padded", "link", "upper"], [30, 45, 10, 10, 5])[0]
    if form == "short":
        first, count = r.randrange(2, 5), r.randrange(2, 4)
        groups[first:first + count] = ["0"] * count
        return ipaddress.IPv6Address(":".join(groups)).compressed, True
    if form == "link":
        return "fe80::" + ":".join(f"{r.randrange(4096, 65536):x}" for _ in range(4)), True
    text = ipaddress.IPv6Address(":".join(groups)).exploded if form == "padded" else ":".join(groups)
    return (text.upper() if form == "upper" else text), True


def ipv6_valid(text):
    return isinstance(ipaddress.ip_address(text), ipaddress.IPv6Address)


def mac(r):
    pairs = [f"{r.randrange(256):02x}" for _ in range(6)]
    pairs[0] = f"{r.randrange(64) * 4:02x}"
    form = r.choices([":", "-", "dots"], [65, 25, 10])[0]
    text = ".".join("".join(pairs[i:i + 2]) for i in (0, 2, 4)) if form == "dots" else form.join(pairs)
    return (text.upper() if r.random() < 0.4 else text), True


def mac_valid(text):
    return len(re.sub("[:.-]", "", text)) == 12 and int(re.sub("[:.-]", "", text), 16) >= 0


def plain_ascii(name):
    return "".join(c for c in unicodedata.normalize("NFKD", name.lower()) if "a" <= c <= "z")


def email(r, fake):
    first, last = plain_ascii(fake.first_name()), plain_ascii(fake.last_name())
    if len(first) < 2 or len(last) < 2:
        first, last = pick(r, string.ascii_lowercase, 5), pick(r, string.ascii_lowercase, 7)
    local = r.choice([f"{first}.{last}", f"{first[0]}{last}", f"{first}_{last}{r.randrange(100)}",
                      f"{first}+{r.choice(['news', 'shop', 'x1'])}",
                      f"{last}{r.randrange(1000)}", f"{first}-{last}", first])
    company = pick(r, string.ascii_lowercase, r.randrange(4, 10))
    domain = r.choice(["gmail.com", "outlook.com", "web.de", "orange.fr", "yahoo.co.uk", "proton.me", f"{company}.com",
                       f"{company}.io", f"mail.{company}.de",
                       f"{company}-{company[:3]}.co.jp", f"{company}.com.br", f"{company}.museum", "example.org"])
    text = f"{local}@{domain}"
    return (text.title() if r.random() < 0.04 else text), True


def email_valid(text):
    return re.fullmatch(r"[A-Za-z0-9._+-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", text) is not None


MONTHS = {
    "en": "January February March April May June July August September October November December".split(),
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember".split(),
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split(),
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre".split(),
}


def date_of_birth(r, language="en"):
    born = day(r)
    named = MONTHS.get(language, MONTHS["en"])[born.month - 1]
    forms = {
        "iso": born.isoformat(), "us": born.strftime("%m/%d/%Y"), "eu": born.strftime("%d/%m/%Y"),
             "dots": born.strftime("%d.%m.%Y"),
        "dashes": born.strftime("%d-%m-%Y"), "slashes": born.strftime("%Y/%m/%d"), "compact": born.strftime("%Y%m%d"),
        "long": {"de": f"{born.day}. {named} {born.year}", "es": f"{born.day} de {named} de {born.year}",
                 "en": r.choice([f"{born.day} {named} {born.year}", f"{named} {born.day}, {born.year}",
                                 f"{named[:3]} {born.day}, {born.year}"])}.get(
                     language, f"{born.day} {named} {born.year}"),
    }
    weights = {"en": [35, 20, 10, 3, 3, 4, 3, 22]}.get(language, [30, 0, 25, 25, 5, 2, 3, 10])
    return forms[r.choices(list(forms), weights)[0]], False


def date_valid(text):
    return re.search(r"(19|20)\d\d", text) is not None and 8 <= len(text) <= 28


def aws_key(r):
    return r.choices(["AKIA", "ASIA"], [75, 25])[0] + pick(r, string.ascii_uppercase + "234567", 16), True


def url64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def jwt(r):
    header = {"alg": r.choice(["HS256", "RS256", "ES256"]), "typ": "JWT"}
    if r.random() < 0.4:
        header["kid"] = pick(r, WORD, 12)
    claims = {"sub": str(r.randrange(10**9)), "iat": 1_700_000_000 + r.randrange(10**7), "iss": "https://login.example.org/"}
    parts = [url64(json.dumps(part, separators=(",", ":")).encode()) for part in (header, claims)]
    return ".".join([*parts, url64(r.randbytes({"HS256": 32, "RS256": 256, "ES256": 64}[header["alg"]]))]), True


def pem(r):
    """One line: with backslash and n, as in .env files and logs. documents.py puts real line feeds there."""
    kind = r.choice(["RSA PRIVATE KEY", "PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY", "ENCRYPTED PRIVATE KEY"])
    body = base64.b64encode(b"\x30\x82" + r.randbytes(r.choice([118, 300, 607]))).decode()
    lines = [body[i:i + 64] for i in range(0, len(body), 64)]
    return "\\n".join([f"-----BEGIN {kind}-----", *lines, f"-----END {kind}-----"]), True


def base62(number, width):
    alphabet = string.digits + string.ascii_uppercase + string.ascii_lowercase
    out = ""
    while number:
        number, rest = divmod(number, 62)
        out = alphabet[rest] + out
    return out.rjust(width, "0")


def github_token(r):
    if r.random() < 0.25:
        return f"github_pat_{pick(r, WORD, 22)}_{pick(r, WORD, 59)}", True
    body = pick(r, WORD, 30)  # its last six characters are a CRC-32 of these
    return r.choice(["ghp_", "ghp_", "gho_", "ghs_", "ghu_", "ghr_"]) + body + base62(zlib.crc32(body.encode()), 6), True


def slack_token(r):
    number = lambda: str(r.randrange(10**11, 10**12))  # noqa: E731
    return r.choice([f"xoxb-{number()}-{number()}-{pick(r, WORD, 24)}",
                     f"xoxp-{number()}-{number()}-{number()}-{pick(r, '0123456789abcdef', 32)}",
                     f"xoxb-{number()}-{pick(r, WORD, 24)}"]), True


def stripe_key(r):
    return r.choice(["sk_live_", "sk_live_", "rk_live_", "sk_test_"]) + pick(r, WORD, r.choice([24, 32, 99])), True


def entropy(text):
    return -sum(text.count(c) / len(text) * math.log2(text.count(c) / len(text)) for c in set(text))


def secret(r):
    """High in entropy; what has a known shape (hex digests, UUIDs) is not among them."""
    while True:
        kind = r.choices(["word", "base64", "symbols", "hex"], [45, 25, 20, 10])[0]
        text = {"word": lambda: pick(r, WORD, r.randrange(20, 44)), "base64": lambda: base64.b64encode(r.randbytes(r.choice([24,
            30, 48]))).decode(),
                "symbols": lambda: pick(r, WORD + "!#%*+-=@^_", r.randrange(16, 28)),
                "hex": lambda: r.randbytes(24).hex()}[kind]()
        if secret_valid(text):
            return text, False


def secret_valid(text):
    return len(text) >= 16 and entropy(text) >= 3.3 and any(c.isdigit() for c in text) and any(c.isalpha() for c in text)


def matches(pattern):
    return lambda text: re.fullmatch(pattern, text) is not None


CREDENTIALS = {
    "email": (email, email_valid, None, False),
    "ipv4": (ipv4, ipv4_valid, None, False),
    "ipv6": (ipv6, ipv6_valid, None, False),
    "mac": (mac, mac_valid, None, False),
    "date-of-birth": (date_of_birth, date_valid, None, False),
    "aws-key": (aws_key, matches("(AKIA|ASIA)[A-Z2-7]{16}"), None, False),
    "jwt": (jwt, matches(r"eyJ[\w-]+\.eyJ[\w-]+\.[\w-]{43,}"), None, False),
    "pem": (pem, matches(r"-----BEGIN [A-Z ]*PRIVATE KEY-----(\\n|\n)[\w+/=\n\\]+-----END [A-Z ]*PRIVATE KEY-----"), None, False),
    "github-token": (github_token, matches(r"gh[pousr]_\w{36}|github_pat_\w{82}"), None, False),
    "slack-token": (slack_token, matches(r"xox[bp]-[\w-]{30,}"), None, False),
    "stripe-key": (stripe_key, matches(r"[sr]k_(live|test)_\w{24,}"), None, False),
    "secret": (secret, secret_valid, None, False),
}
