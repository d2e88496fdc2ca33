"""Hard negatives: what looks like one of the entities and is none, each under the name by which its false alarms are counted.

Numbers that by chance are what a detector must find (a card of a known issuer with a right check digit) are drawn again: nobody
could tell them apart. National numbers of nine to eleven digits pass some checksum by chance all the time, and are left as they
come: without a word that names the number a detector has to hold back.
"""
import base64
import datetime
import string
import uuid

from stdnum import luhn

from .credentials import WORD, pick
from .identifiers import digits, grouped, until
from .payments import in_issuer_range


def moment(r):
    return 1_500_000_000 + r.randrange(300_000_000)


def stamp(r):
    return datetime.datetime.fromtimestamp(moment(r), datetime.timezone.utc)


def no_card(make):
    return until(make, lambda text: not in_issuer_range("".join(c for c in text if c.isdigit())))


def order_number(r):
    form = r.randrange(6)
    if form == 0:
        return digits(r, r.choice([7, 8, 9, 10, 11, 12]))
    if form == 1:
        return no_card(lambda: r.choice("123456789") + digits(r, r.choice([13, 14, 15])))
    if form == 2:
        return no_card(lambda: f"{digits(r, 3)}-{digits(r, 7)}-{digits(r, 7)}")  # the web's largest shop
    if form == 3:
        return f"ORD-{stamp(r):%Y%m%d}-{digits(r, 5)}"
    if form == 4:
        return f"{r.choice('ABSPW')}{digits(r, 9)}"
    return no_card(lambda: f"{stamp(r):%Y%m%d}{digits(r, 8)}")


def invoice_number(r):
    return r.choice([f"INV-{stamp(r):%Y}-{digits(r, 6)}", f"RE{digits(r, 8)}", f"{stamp(r):%Y}/{digits(r, 5)}",
                     f"F{digits(r, 4)}-{digits(r, 4)}",
                     digits(r, 10), f"{digits(r, 4)}-{digits(r, 6)}"])


def luhn_no_issuer(r):
    """Sixteen digits with a right check digit and first digits that no issuer has."""
    body = r.choice("01789") + digits(r, 14)
    return body + luhn.calc_check_digit(body)


def luhn_wrong(r):
    body = until(lambda: r.choice(["4", "51", "55", "37", "6011"]) + digits(r, 16), lambda b: not luhn.is_valid(b[:16]))[:16]
    return r.choice([body, grouped(body, (4, 4, 4, 4), " "), grouped(body, (4, 4, 4, 4), "-")])


def tracking_number(r):
    return r.choice([f"1Z{pick(r, string.ascii_uppercase + string.digits, 6)}{digits(r, 10)}", no_card(lambda: digits(r, 12)),
                     no_card(lambda: digits(r, 15)),
                     f"94001{digits(r, 17)}", f"JD0{digits(r, 17)}",
                     f"{pick(r, 'RLCE', 1)}{pick(r, string.ascii_uppercase, 1)}{digits(r, 9)}DE", f"00{digits(r, 18)}"])


def version(r):
    n = lambda top: r.randrange(top)  # noqa: E731
    return r.choice([f"v{n(20)}.{n(40)}.{n(99)}", f"{n(9)}.{n(20)}.{n(9)}-rc.{n(5)}",
                     f"{n(30)}.{n(99)}.{n(9)}+build.{digits(r, 8)}", f"10.0.{n(9000) + 10000}.{n(4000)}",
                     f"v{n(9) + 1}.{n(20)}.{n(99)}.{n(9)}"])


def oid(r):
    return f"1.3.6.1.4.1.{r.randrange(300, 60000)}.{r.randrange(1, 20)}.{r.randrange(1, 9)}"


def coordinates(r):
    return f"{r.uniform(-85, 85):.{r.choice([4, 6, 7])}f}, {r.uniform(-179, 179):.{r.choice([4, 6, 7])}f}"


def ean(r):
    body = r.choice(["400", "401", "500", "300", "871", "590", "800", "690", "978", "979"]) + digits(r, 9)
    check = -sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(body)) % 10
    # One German article number in ten has the check digit of an old Visa card: it is left as it comes.
    return body + str(check)


def isbn(r):
    body = ean(r)
    body = "978" + body[3:12]
    plain = body + str(-sum(int(d) * (3 if i % 2 else 1) for i, d in enumerate(body)) % 10)
    return r.choice([plain, grouped(plain, (3, 1, 4, 4, 1), "-"), grouped(plain, (3, 2, 5, 2, 1), "-")])


def price(r):
    amount = r.uniform(1, 90000)
    return r.choice([f"${amount:,.2f}", f"{amount:.2f} EUR", f"{amount:,.2f}".replace(",", " ").replace(".", ",") + " €",
                     f"£{amount:,.0f}", f"R$ {amount:.2f}",
                     f"JPY {amount * 100:,.0f}", f"{amount:,.2f}".replace(",", "'") + " CHF"])


def date(r):
    at = stamp(r)
    return r.choice([f"{at:%Y-%m-%d}", f"{at:%d.%m.%Y}", f"{at:%m/%d/%Y}", f"{at:%d-%m-%Y %H:%M}", f"{at:%Y%m%d%H%M%S}",
                     f"{at:%Y.%m.%d-%H.%M.%S}",
                     f"{at:%d/%m/%y %H:%M:%S}", f"{at:%Y-%m-%d}/{at.year + 1}-01-31"])


def timestamp(r):
    at = stamp(r)
    return r.choice([f"{at:%Y-%m-%dT%H:%M:%S}.{digits(r, 3)}Z", f"{at:%Y-%m-%d %H:%M:%S},{digits(r, 3)}",
                     f"{at:%d/%b/%Y:%H:%M:%S} +0000", f"{at:%Y-%m-%dT%H:%M:%S}+02:00",
                     f"{at:%H:%M:%S}.{digits(r, 6)}"])


def hexes(r, count):
    return r.randbytes(count).hex()


def traceparent(r):
    return f"00-{hexes(r, 16)}-{hexes(r, 8)}-01"


def fingerprint(r):
    return ":".join(f"{b:02X}" for b in r.randbytes(r.choice([8, 16, 20])))


def masked_card(r):
    return r.choice([f"**** **** **** {digits(r, 4)}", f"4111 11XX XXXX {digits(r, 4)}", f"XXXX-XXXX-XXXX-{digits(r, 4)}",
                     f"****{digits(r, 4)}", f"{digits(r, 6)}******{digits(r, 4)}"])


def never_ssn(r):
    return r.choice([f"000-{r.randrange(10, 99)}-{digits(r, 4)}", f"666-{r.randrange(10, 99)}-{digits(r, 4)}",
                     f"{r.randrange(100, 600)}-00-{digits(r, 4)}",
                     f"{r.randrange(100, 600)}-{r.randrange(10, 99)}-0000",
                     f"9{r.randrange(10, 99)}-{r.randrange(10, 49)}-{digits(r, 4)}"])


def at_sign(r):
    word = pick(r, string.ascii_lowercase, 6)
    return r.choice([f"@{word}/{word[:4]}@{version(r).lstrip('v')}", f"{word}@2x.png", f"@{word}_{word[:3]}",
                     f"{word}@sha256:{hexes(r, 32)}", f"{word}@{r.randrange(9)}.{r.randrange(9)}.0"])


def code(r):
    word = lambda: pick(r, string.ascii_lowercase, r.randrange(3, 8))  # noqa: E731
    return r.choice([f"std::{word()}::{word()}", f"com.example.{word()}.{word().title()}Service", f"{word()}::{word()}()",
                     f"arn:aws:s3:::{word()}-{word()}",
                     f"a::{word()}z", f"{word()}.{word()}.{word()}.{word()}", f"0x{hexes(r, 8)}",
                     f"rgb({r.randrange(255)}, {r.randrange(255)}, {r.randrange(255)})"])


def placeholder(r):
    return r.choice(["${DB_PASSWORD}", "********", "<redacted>", "changeme", "{{ vault.api_key }}", "null", "REDACTED",
                     "xxxxxxxxxxxxxxxx", "None", "$(cat /run/secrets/key)"])


def serial(r):
    return r.choice([f"SN-{digits(r, 4)}-{digits(r, 4)}-{digits(r, 2)}", f"{pick(r, string.ascii_uppercase, 3)}{digits(r, 8)}",
                     f"C02{pick(r, string.ascii_uppercase + string.digits, 9)}",
                     f"{pick(r, string.ascii_uppercase, 2)}{digits(r, 6)}", f"{digits(r, 3)}-{digits(r, 5)}-{digits(r, 2)}",
                     f"P/N {digits(r, 5)}-{digits(r, 3)}"])


def imei(r):
    body = r.choice(["35", "86", "01"]) + digits(r, 12)
    return body + luhn.calc_check_digit(body)


def iccid(r):
    body = r.choice(["8949", "8944", "8901"]) + digits(r, 14)
    return body + luhn.calc_check_digit(body)


# kind: (maker, words that name it in prose, field names)
NEGATIVES = {
    "epoch-s": (lambda r: str(moment(r)), ["since", "expires at", "ts"], ["ts", "createdAt", "exp", "iat", "last_seen"]),
    "epoch-ms": (lambda r: f"{moment(r)}{digits(r, 3)}", ["at", "timestamp", "t"],
                 ["timestamp", "eventTime", "updated_at_ms", "ts"]),
    "epoch-us": (lambda r: f"{moment(r)}{digits(r, 6)}", ["ts_us", "micros"], ["ts_us", "micros", "source_ts"]),
    "epoch-ns": (lambda r: f"{moment(r)}{digits(r, 9)}", ["nanos", "time_ns"], ["startTimeUnixNano", "time_ns"]),
    "order-number": (order_number, ["order", "order no.", "order #"], ["orderId", "order_number", "orderNo", "order_ref"]),
    "invoice": (invoice_number, ["invoice", "invoice no."], ["invoice", "invoiceNumber", "invoice_id"]),
    "uuid": (lambda r: str(uuid.UUID(bytes=r.randbytes(16), version=4)), ["request", "id", "session"],
             ["id", "uuid", "requestId", "correlation_id"]),
    "hex-trace": (lambda r: r.choice([hexes(r, 16), hexes(r, 8), traceparent(r)]), ["trace", "traceparent", "span"],
                  ["traceId", "spanId", "traceparent", "x_b3_traceid"]),
    "luhn-no-issuer": (luhn_no_issuer, ["reference", "batch", "job"], ["reference", "batchNumber", "job_id"]),
    "luhn-wrong": (luhn_wrong, ["reference", "voucher", "code"], ["voucher", "reference", "giftCode"]),
    "tracking": (tracking_number, ["tracking", "parcel", "shipment"], ["trackingNumber", "parcel_id", "awb"]),
    "version": (version, ["version", "release", "upgraded to version"], ["version", "appVersion", "sdk_version", "build"]),
    "oid": (oid, ["OID", "object identifier"], ["oid", "snmpOid"]),
    "coordinates": (coordinates, ["at coordinates", "position", "lat/lon"], ["position", "latLng", "geo"]),
    "ean": (ean, ["EAN", "barcode", "GTIN"], ["ean", "barcode", "gtin13"]),
    "isbn": (isbn, ["ISBN", "book ISBN"], ["isbn", "isbn13"]),
    "price": (price, ["for", "total", "amount"], ["price", "total", "amountFormatted"]),
    "date": (date, ["on", "due", "from"], ["date", "dueDate", "valid_from", "shipped_on"]),
    "timestamp": (timestamp, ["at", "logged"], ["timestamp", "@timestamp", "createdAt", "modified"]),
    "hash": (lambda r: hexes(r, r.choice([16, 20, 32, 64])), ["sha256", "md5", "checksum"],
             ["sha256", "md5", "etag", "checksum", "digest"]),
    "git-sha": (lambda r: hexes(r, 20)[:r.choice([7, 12, 40])], ["commit", "rev"], ["commit", "gitSha", "revision"]),
    "base64": (lambda r: base64.b64encode(r.randbytes(r.choice([33, 60, 150]))).decode(), ["payload", "body", "thumbnail"],
               ["payload", "thumbnail", "blob", "bodyBase64"]),
    "fingerprint": (fingerprint, ["fingerprint", "WWN", "cert fingerprint"], ["fingerprint", "wwn", "certFingerprint"]),
    "masked-card": (masked_card, ["card ending in", "charged to"], ["maskedCard", "card_masked", "displayNumber"]),
    "never-ssn": (never_ssn, ["part", "item", "lot"], ["part", "lotNumber", "item_code"]),
    "at-sign": (at_sign, ["package", "asset", "image"], ["package", "asset", "image"]),
    "code": (code, ["calling", "in", "class"], ["logger", "class", "symbol"]),
    "placeholder": (placeholder, ["password", "DB_PASSWORD", "api_key", "token"],
                    ["password", "apiKey", "secret", "db_password"]),
    "serial": (serial, ["serial", "S/N", "unit"], ["serial", "serialNumber", "unit_sn"]),
    "imei": (imei, ["IMEI", "handset IMEI"], ["imei", "deviceImei"]),
    "iccid": (iccid, ["ICCID", "SIM ICCID"], ["iccid", "simIccid"]),
    "identifier": (lambda r: r.choice([pick(r, WORD, 22), "cus_" + pick(r, WORD, 14), "evt_" + pick(r, WORD, 24),
                                       pick(r, string.ascii_uppercase + string.digits, 26)]),
                   ["customer", "event", "cursor"], ["customerId", "eventId", "nextCursor", "shardKey"]),
    "count": (lambda r: digits(r, r.choice([3, 6, 9, 10, 11])).lstrip("0") or "7", ["bytes", "offset", "took us"],
              ["bytes", "offset", "size", "durationNs", "population"]),
}
