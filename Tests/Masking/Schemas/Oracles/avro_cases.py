"""Random Avro schemas and values by seed, and what becomes of them when leaves are edited: held against fastavro.

avro_cases.py generate FIRST COUNT   a line of JSON for each case: schema, payload
avro_cases.py check FIRST COUNT      reads a line for each case: texts of the leaves, edits, the payload written anew
"""
import datetime
import decimal
import io
import json
import random
import struct
import sys
import uuid

import fastavro

decimal.getcontext().prec = 200
EPOCH = datetime.datetime(1970, 1, 1)


class Names:
    def __init__(self):
        self.count = 0
        self.records = []

    def next(self, prefix):
        self.count += 1
        return f"{prefix}{self.count}"


def leaf_schema(rng, names):
    kind = rng.randrange(22)
    plain = ["string", "bytes", "int", "long", "float", "double", "boolean", "string"]
    if kind < 8:
        return plain[kind]
    logical = {
        8: ("int", "date"), 9: ("int", "time-millis"), 10: ("long", "time-micros"), 11: ("long", "timestamp-millis"),
        12: ("long", "timestamp-micros"), 13: ("long", "local-timestamp-millis"), 14: ("string", "uuid"),
        15: ("long", "timestamp-nanos"), 16: ("string", "unknown"),
    }
    if kind in logical:
        return {"type": logical[kind][0], "logicalType": logical[kind][1]}
    if kind == 17:
        precision = rng.randrange(1, 60)
        return {"type": "bytes", "logicalType": "decimal", "precision": precision,
                "scale": rng.randrange(0, precision + 1)}
    if kind == 18:
        return {"type": "fixed", "name": names.next("Dec"), "size": 9, "logicalType": "decimal", "precision": 20,
                "scale": 4}
    if kind == 19:
        return {"type": "fixed", "name": names.next("Fix"), "size": rng.randrange(1, 20)}
    if kind == 20:
        symbols = ["ALPHA", "BETA", "GAMMA", "DELTA"][: rng.randrange(1, 5)]
        schema = {"type": "enum", "name": names.next("Enum"), "symbols": symbols}
        if rng.random() < 0.5:
            schema["default"] = rng.choice(symbols)
        return schema
    return {"type": "fixed", "name": names.next("Uid"), "size": 16, "logicalType": "uuid"}


def schema(rng, names, depth):
    kind = rng.randrange(10) if depth > 0 else 0
    if kind < 4:
        return leaf_schema(rng, names)
    if kind == 4:
        return {"type": "array", "items": schema(rng, names, depth - 1)}
    if kind == 5:
        return {"type": "map", "values": schema(rng, names, depth - 1)}
    if kind == 6:
        inner = schema(rng, names, depth - 1)
        if isinstance(inner, list) or inner == "null":
            return inner
        return rng.choice([["null", inner], [inner, "null"]])
    if kind == 7:
        branches = ["null", "string", "long", "double", "boolean", {"type": "array", "items": "string"}]
        rng.shuffle(branches)
        return branches[: rng.randrange(1, 6)]
    if kind == 8 and names.records:
        return ["null", rng.choice(names.records)]
    name = names.next("Rec")
    full = name
    result = {"type": "record", "name": name, "fields": []}
    if rng.random() < 0.3:
        result["namespace"] = "shop.v1"
        full = "shop.v1." + name
    elif rng.random() < 0.3:
        result["namespace"] = ""
    if full != name:  # a name without dots would be looked for in what is around it
        names.records.append(full)
    for index in range(rng.randrange(0, 6)):
        field = "null" if rng.random() < 0.1 else schema(rng, names, depth - 1)
        result["fields"].append({"name": f"f{index}", "type": field, "doc": "text"})
    return result


class Tree:
    """A value with its schema: kind is leaf, record, union, array, map or null."""

    def __init__(self, kind, schema, value=None, children=None, **more):
        self.kind, self.schema, self.value, self.children = kind, schema, value, children or []
        self.__dict__.update(more)


def text_of(rng):
    return "".join(rng.choice("abcXYZ 0189-_.@äß漢😀\n\"\\") for _ in range(rng.choice([0, 1, 3, 10, 70, 200])))


def long_of(rng):
    return rng.choice([0, 1, -1, 63, 64, -64, -65, rng.getrandbits(31), -rng.getrandbits(62), 2**63 - 1, -(2**63)])


def random_leaf(rng, schema, kind, size):
    logical = schema.get("logicalType") if isinstance(schema, dict) else None
    if kind == "string":
        return str(uuid.UUID(int=rng.getrandbits(128))) if logical == "uuid" else text_of(rng)
    if kind == "bytes":
        if logical == "decimal":
            limit = 10 ** schema["precision"]
            value = rng.randrange(-limit + 1, limit)
            return value.to_bytes(value.bit_length() // 8 + 1 + rng.randrange(2), "big", signed=True)
        return rng.randbytes(rng.choice([0, 1, 5, 100]))
    if kind == "fixed":
        if logical == "decimal":
            return rng.randrange(-(10**20) + 1, 10**20).to_bytes(size, "big", signed=True)
        return rng.randbytes(size)
    if kind == "int":
        if logical == "time-millis":
            return rng.randrange(86_400_000)
        if logical == "date":
            return rng.randrange(-700_000, 2_900_000)
        return max(-(2**31), min(2**31 - 1, long_of(rng)))
    if kind == "long":
        if logical == "time-micros":
            return rng.randrange(86_400_000_000)
        if logical and "timestamp" in logical:
            seconds = rng.randrange(-60_000_000_000, 250_000_000_000)
            if "nanos" in logical:
                return rng.randrange(-(2**63), 2**63)
            return seconds * (1000 if "millis" in logical else 1_000_000) + rng.randrange(1000)
        return long_of(rng)
    if kind == "float":
        return struct.unpack("<f", struct.pack("<f", rng.choice([0.0, -1.5, rng.uniform(-1e9, 1e9)])))[0]
    if kind == "double":
        return rng.choice([0.0, -1.5, rng.uniform(-1e12, 1e12), 1e300, 5e-324])
    if kind == "boolean":
        return rng.random() < 0.5
    raise ValueError(kind)


def build(rng, schema, known, depth, space=""):
    if isinstance(schema, str):
        if schema in known:
            return build(rng, known[schema], known, depth, schema.rpartition(".")[0])
        if schema == "null":
            return Tree("null", schema)
        return Tree("leaf", schema, random_leaf(rng, {}, schema, 0), type=schema)
    if isinstance(schema, list):
        branch = rng.randrange(len(schema))
        if depth <= 0 and "null" in schema:
            branch = schema.index("null")
        return Tree("union", schema, branch, [build(rng, schema[branch], known, depth - 1, space)])
    kind = schema["type"]
    if kind == "record":
        inner = schema.get("namespace", space)
        known[(inner + "." if inner else "") + schema["name"]] = dict(schema, namespace=inner)
        return Tree("record", schema, None,
                    [build(rng, field["type"], known, depth - 1, inner) for field in schema["fields"]],
                    names=[field["name"] for field in schema["fields"]])
    count = rng.choice([0, 1, 2, 5]) if depth > 0 else 0
    if kind == "array":
        return Tree("array", schema, None, [build(rng, schema["items"], known, depth - 1, space) for _ in range(count)])
    if kind == "map":
        keys = [f"k{index}{text_of(rng)[:9]}" for index in range(count)]
        return Tree("map", schema, None, [build(rng, schema["values"], known, depth - 1, space) for _ in keys],
                    keys=keys)
    if kind == "enum":
        return Tree("leaf", schema, rng.choice(schema["symbols"]), type="enum")
    return Tree("leaf", schema, random_leaf(rng, schema, kind, schema.get("size", 0)), type=kind)


def zigzag(value, rng=None):
    number = (value << 1) ^ (value >> 63)
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    if rng is not None and rng.random() < 0.2 and len(out) < 5:  # longer than it need be
        out[-1] |= 0x80
        out.append(0)
    return bytes(out)


def encode(rng, tree):
    if tree.kind == "null":
        return b""
    if tree.kind == "record":
        return b"".join(encode(rng, child) for child in tree.children)
    if tree.kind == "union":
        return zigzag(tree.value, rng) + encode(rng, tree.children[0])
    if tree.kind in ("array", "map"):
        items = [encode(rng, child) for child in tree.children]
        if tree.kind == "map":
            items = [zigzag(len(key.encode()), rng) + key.encode() + item for key, item in zip(tree.keys, items)]
        out = b""
        while items:
            count = rng.randrange(1, len(items) + 1)
            block = b"".join(items[:count])
            out += zigzag(-count, rng) + zigzag(len(block), rng) if rng.random() < 0.5 else zigzag(count, rng)
            out += block
            items = items[count:]
        return out + zigzag(0)
    kind, value = tree.type, tree.value
    if kind == "string":
        return zigzag(len(value.encode()), rng) + value.encode()
    if kind == "bytes":
        return zigzag(len(value), rng) + value
    if kind == "fixed":
        return value
    if kind in ("int", "long"):
        return zigzag(value, rng)
    if kind == "float":
        return struct.pack("<f", value)
    if kind == "double":
        return struct.pack("<d", value)
    if kind == "boolean":
        return b"\1" if value else b"\0"
    return zigzag(tree.schema["symbols"].index(value), rng)


def plain(tree):
    """As fastavro reads it."""
    if tree.kind == "null":
        return None
    if tree.kind == "record":
        return {name: plain(child) for name, child in zip(tree.names, tree.children)}
    if tree.kind == "union":
        return plain(tree.children[0])
    if tree.kind == "array":
        return [plain(child) for child in tree.children]
    if tree.kind == "map":
        return {key: plain(child) for key, child in zip(tree.keys, tree.children)}
    return tree.value


def without_logical_types(schema):
    if isinstance(schema, list):
        return [without_logical_types(item) for item in schema]
    if isinstance(schema, dict):
        return {key: without_logical_types(item) for key, item in schema.items() if key != "logicalType"}
    return schema


def leaves(tree, nullable=None):
    """(tree or key, its text's bytes, or a float) in the order of the payload."""
    if tree.kind == "leaf":
        yield tree, nullable
    elif tree.kind == "union":
        null = tree.schema.index("null") if "null" in tree.schema else None
        yield from leaves(tree.children[0], null)
    elif tree.kind == "map":
        for index, child in enumerate(tree.children):
            yield (tree, index), None
            yield from leaves(child)
    else:
        for child in tree.children:
            yield from leaves(child)


def logical_of(tree):
    return tree.schema.get("logicalType") if isinstance(tree.schema, dict) else None


UNITS = {"millis": 1000, "micros": 1_000_000, "nanos": 1_000_000_000}


def unit_of(logical):
    return UNITS[logical.rpartition("-")[2]]


def expected_text(tree):
    logical, value, kind = logical_of(tree), tree.value, tree.type
    if logical == "date":
        return (EPOCH + datetime.timedelta(days=value)).date().isoformat().encode()
    if logical and logical.startswith("time-"):
        unit = unit_of(logical)
        second = value // unit
        digits = len(str(unit)) - 1
        return f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}.{value % unit:0{digits}}".encode()
    if logical and "timestamp" in logical:
        unit = unit_of(logical)
        moment = EPOCH + datetime.timedelta(seconds=value // unit)
        digits = len(str(unit)) - 1
        zone = "" if logical.startswith("local") else "Z"
        return f"{moment.isoformat()}.{value % unit:0{digits}}{zone}".encode()
    if logical == "decimal":
        number = decimal.Decimal(int.from_bytes(value, "big", signed=True)).scaleb(-tree.schema["scale"])
        return f"{number:f}".encode()
    if kind == "fixed" and logical == "uuid":
        return str(uuid.UUID(bytes=value)).encode()
    if kind in ("int", "long"):
        return str(value).encode()
    if kind == "boolean":
        return b"true" if value else b"false"
    if kind in ("string", "enum"):
        return value.encode()
    if kind in ("float", "double"):
        return value
    return value


def zero(tree):
    kind, logical = tree.type, logical_of(tree)
    if kind == "string":
        return str(uuid.UUID(int=0)) if logical == "uuid" else ""
    if kind == "bytes":
        return b"\0" if logical == "decimal" else b""
    if kind == "fixed":
        return bytes(tree.schema["size"])
    if kind == "enum":
        return tree.schema.get("default", tree.schema["symbols"][0])
    return {"int": 0, "long": 0, "float": 0.0, "double": 0.0, "boolean": False}[kind]


def fitted(tree, text):
    """The value that a text becomes; None where the type cannot hold it."""
    kind, logical = tree.type, logical_of(tree)
    try:
        string = text.decode()
    except UnicodeDecodeError:
        string = None
    if kind == "string" and logical != "uuid":
        return string
    if kind == "bytes" and logical != "decimal":
        return text
    if kind == "fixed" and logical is None:
        return text if len(text) == tree.schema["size"] else None
    if kind == "enum":
        return string if string in tree.schema["symbols"] else None
    try:
        if logical == "uuid":
            number = uuid.UUID(string)
            return (number.bytes if kind == "fixed" else string) if len(string) == 36 else None
        if logical == "decimal":
            if "e" in string:  # an exponent is none of its digits
                return None
            number = decimal.Decimal(string).scaleb(tree.schema["scale"])
            if number != number.to_integral_value() or abs(number) >= 10 ** tree.schema["precision"]:
                return None
            number = int(number)
            if kind == "fixed":
                return number.to_bytes(tree.schema["size"], "big", signed=True)
            size = 1
            while not -(1 << (8 * size - 1)) <= number < 1 << (8 * size - 1):
                size += 1
            return number.to_bytes(size, "big", signed=True)
        if logical == "date":
            return (datetime.date.fromisoformat(string) - EPOCH.date()).days
        if logical and logical.startswith("time-"):
            moment = datetime.time.fromisoformat(string)
            delta = datetime.timedelta(hours=moment.hour, minutes=moment.minute, seconds=moment.second,
                                       microseconds=moment.microsecond)
            return exact(delta, unit_of(logical))
        if logical and "timestamp" in logical:
            moment = datetime.datetime.fromisoformat(string.removesuffix("Z"))
            value = exact(moment - EPOCH, unit_of(logical))
            return value if value is not None and -(2**63) <= value < 2**63 else None
        if kind in ("int", "long"):
            number = int(string)
            bits = 31 if kind == "int" else 63
            return number if -(1 << bits) <= number < 1 << bits else None
        if kind == "float":
            return struct.unpack("<f", struct.pack("<f", float(string)))[0]
        if kind == "double":
            return float(string)
        if kind == "boolean":
            return {"true": True, "false": False}.get(string)
    except (ValueError, TypeError, ArithmeticError, AttributeError, OverflowError):
        return None
    raise ValueError(kind)


def exact(delta, unit):
    micros = (delta.days * 86400 + delta.seconds) * 1_000_000 + delta.microseconds
    return micros * unit // 1_000_000 if micros * unit % 1_000_000 == 0 else None


def apply(tree, edits):
    for (leaf, null), edit in zip(list(leaves(tree)), edits):
        if edit is None:
            continue
        if isinstance(leaf, tuple):
            owner, index = leaf
            owner.keys[index] = bytes.fromhex(edit["text"]).decode() if "text" in edit else ""
            continue
        value = fitted(leaf, bytes.fromhex(edit["text"])) if "text" in edit else None
        if value is None and null is not None:
            leaf.kind, leaf.value = "null", None
        else:
            leaf.value = zero(leaf) if value is None else value


def case(seed):
    rng = random.Random(seed)
    names = Names()
    made = schema(rng, names, rng.randrange(0, 6))
    tree = build(rng, made, {}, 7)
    return made, tree, encode(rng, tree)


def read(schema, payload):
    stream = io.BytesIO(payload)
    value = fastavro.schemaless_reader(stream, fastavro.parse_schema(without_logical_types(schema)), None)
    return value, stream.read()


def main():
    command, first, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    for seed in range(first, first + count):
        made, tree, payload = case(seed)
        if command == "generate":
            value, rest = read(made, payload)
            assert value == plain(tree) and not rest, seed
            print(json.dumps({"schema": json.dumps(made), "payload": payload.hex()}))
            continue
        answer = json.loads(sys.stdin.readline())
        texts = [bytes.fromhex(text) for text in answer["texts"]]
        found = list(leaves(tree))
        assert len(texts) == len(found), (seed, len(texts), len(found), made)
        for text, (leaf, _) in zip(texts, found):
            expected = leaf[0].keys[leaf[1]].encode() if isinstance(leaf, tuple) else expected_text(leaf)
            if isinstance(expected, float):
                is_single = leaf.type == "float"
                same = float(text) == expected or is_single and struct.pack("<f", float(text)) == struct.pack(
                    "<f", expected)
                assert same, (seed, text, expected)
            else:
                assert text == expected, (seed, text, expected, leaf if isinstance(leaf, tuple) else leaf.schema)
        apply(tree, answer["edits"])
        value, rest = read(made, bytes.fromhex(answer["payload"]))
        assert not rest and value == plain(tree), (seed, made, value, plain(tree))
    if command == "check":
        print("checked", count)


if __name__ == "__main__":
    main()
