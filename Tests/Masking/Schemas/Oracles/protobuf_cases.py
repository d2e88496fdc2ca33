"""Random Protobuf schemas and messages by seed, and what becomes of them when leaves are edited: held against protobuf.

protobuf_cases.py generate FIRST COUNT   a line of JSON for each case: schema text, descriptor set, payload
protobuf_cases.py check FIRST COUNT      reads a line for each case: texts of the leaves, edits, the payload written anew
Cases of an odd seed keep unknown fields, the others drop them.
"""
import collections
import json
import random
import struct
import sys

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

F = descriptor_pb2.FieldDescriptorProto
TYPES = {
    "double": (F.TYPE_DOUBLE, 1), "float": (F.TYPE_FLOAT, 5), "int64": (F.TYPE_INT64, 0), "uint64": (F.TYPE_UINT64, 0),
    "int32": (F.TYPE_INT32, 0), "fixed64": (F.TYPE_FIXED64, 1), "fixed32": (F.TYPE_FIXED32, 5), "bool": (F.TYPE_BOOL, 0),
    "string": (F.TYPE_STRING, 2), "bytes": (F.TYPE_BYTES, 2), "uint32": (F.TYPE_UINT32, 0),
    "sfixed32": (F.TYPE_SFIXED32, 5), "sfixed64": (F.TYPE_SFIXED64, 1), "sint32": (F.TYPE_SINT32, 0),
    "sint64": (F.TYPE_SINT64, 0), "Color": (F.TYPE_ENUM, 0),
}
KEYS = ["string", "int32", "int64", "uint32", "uint64", "sint32", "sint64", "fixed32", "fixed64", "sfixed32",
        "sfixed64", "bool"]
COLORS = ["COLOR_NONE", "RED", "GREEN", "BLUE"]

Field = collections.namedtuple("Field", "name number type label oneof key")


class Schema:
    def __init__(self, rng):
        self.syntax = rng.choice(["proto2", "proto3"])
        self.messages = []
        count = rng.randrange(1, 5)
        for index in range(count):
            fields, numbers, groups = [], set(), 0
            for at in range(rng.randrange(0 if index else 3, 9)):
                number = rng.choice([at + 1, rng.randrange(1, 20), rng.randrange(20, 3000), 536870911 - at])
                if number in numbers or 19000 <= number < 20000:
                    continue
                numbers.add(number)
                label = rng.choice(["plain", "plain", "optional", "repeated", "map", "oneof"])
                if self.syntax == "proto2" and rng.random() < 0.15:
                    label = "required"
                kind = rng.choice(list(TYPES) + ["M%d" % rng.randrange(count)] * 6)
                if kind.startswith("M") and label == "required":
                    label = "optional"  # one that holds itself has no end
                if self.syntax == "proto2" and label in ("plain", "optional", "repeated") and rng.random() < 0.1:
                    kind = "group"
                fields.append(Field(f"f{at}" if kind != "group" else f"grp{at}", number, kind, label,
                                    "choice" if label == "oneof" else None,
                                    rng.choice(KEYS) if label == "map" else None))
            self.messages.append(fields)

    def text(self):
        out = [f'syntax = "{self.syntax}";', "package shop.v1;",
               "enum Color { " + " ".join(f"{name} = {index};" for index, name in enumerate(COLORS)) + " }"]
        for index, fields in enumerate(self.messages):
            out.append(f"message M{index} {{")
            for field in fields:
                label = {"plain": "optional " if self.syntax == "proto2" else "", "oneof": None}.get(
                    field.label, field.label + " ")
                if field.label == "map":
                    out.append(f"  map<{field.key}, {field.type}> {field.name} = {field.number};")
                elif field.label == "oneof":
                    continue
                elif field.type == "group":
                    out.append(f"  {label}group {field.name.capitalize()} = {field.number} "
                               "{ optional string inner = 1; optional int32 other = 2; }")
                else:
                    out.append(f"  {label}{field.type} {field.name} = {field.number};")
            choices = [field for field in fields if field.label == "oneof"]
            if choices:
                out.append("  oneof choice {")
                out += [f"    {field.type} {field.name} = {field.number};" for field in choices]
                out.append("  }")
            out.append("}")
        return "\n".join(out) + "\n"

    def descriptors(self):
        file = descriptor_pb2.FileDescriptorProto(name="case.proto", package="shop.v1", syntax=self.syntax)
        enum = file.enum_type.add(name="Color")
        for index, name in enumerate(COLORS):
            enum.value.add(name=name, number=index)
        for index, fields in enumerate(self.messages):
            message = file.message_type.add(name=f"M{index}")
            if any(field.label == "oneof" for field in fields):
                message.oneof_decl.add(name="choice")
            synthetic = []
            for field in sorted(fields, key=lambda field: field.label == "oneof"):  # a oneof's stand together
                made = message.field.add(name=field.name, number=field.number)
                made.label = {"repeated": F.LABEL_REPEATED, "map": F.LABEL_REPEATED,
                              "required": F.LABEL_REQUIRED}.get(field.label, F.LABEL_OPTIONAL)
                if field.label == "map":
                    entry = message.nested_type.add(name=field.name.capitalize() + "Entry")
                    entry.options.map_entry = True
                    self.set_type(entry.field.add(name="key", number=1, label=F.LABEL_OPTIONAL), field.key)
                    self.set_type(entry.field.add(name="value", number=2, label=F.LABEL_OPTIONAL), field.type)
                    made.type, made.type_name = F.TYPE_MESSAGE, f".shop.v1.M{index}.{entry.name}"
                elif field.type == "group":
                    group = message.nested_type.add(name=field.name.capitalize())
                    self.set_type(group.field.add(name="inner", number=1, label=F.LABEL_OPTIONAL), "string")
                    self.set_type(group.field.add(name="other", number=2, label=F.LABEL_OPTIONAL), "int32")
                    made.type, made.type_name = F.TYPE_GROUP, f".shop.v1.M{index}.{group.name}"
                else:
                    self.set_type(made, field.type)
                if field.label == "oneof":
                    made.oneof_index = 0
                if field.label == "optional" and self.syntax == "proto3":
                    made.proto3_optional = True
                    synthetic.append(made)
            for made in synthetic:
                made.oneof_index = len(message.oneof_decl)
                message.oneof_decl.add(name="_" + made.name)
        return descriptor_pb2.FileDescriptorSet(file=[file])

    @staticmethod
    def set_type(made, kind):
        if kind in TYPES:
            made.type = TYPES[kind][0]
            if kind == "Color":
                made.type_name = ".shop.v1.Color"
        else:
            made.type, made.type_name = F.TYPE_MESSAGE, ".shop.v1." + kind


GROUP = [Field("inner", 1, "string", "optional", None, None), Field("other", 2, "int32", "optional", None, None)]
MAPPED = collections.namedtuple("Entry", "key value")


class Leaf:
    def __init__(self, kind, value, absence, is_key=False):
        self.kind, self.value, self.absence, self.is_key, self.gone = kind, value, absence, is_key, False


def random_value(rng, kind):
    bits = 32 if "32" in kind else 64
    if kind in ("int32", "int64", "sint32", "sint64", "sfixed32", "sfixed64"):
        return rng.choice([0, 1, -1, rng.getrandbits(bits - 1), -rng.getrandbits(bits - 1), -(2 ** (bits - 1))])
    if kind in ("uint32", "uint64", "fixed32", "fixed64"):
        return rng.choice([0, 1, rng.getrandbits(bits), 2**bits - 1])
    if kind == "bool":
        return rng.random() < 0.5
    if kind == "Color":
        return rng.randrange(4)
    if kind == "float":
        return struct.unpack("<f", struct.pack("<f", rng.choice([0.0, 1.5, rng.uniform(-1e9, 1e9)])))[0]
    if kind == "double":
        return rng.choice([0.0, -1.5, rng.uniform(-1e12, 1e12), 1e300])
    text = "".join(rng.choice("abc 012@äß漢😀\n") for _ in range(rng.choice([0, 1, 5, 40, 127, 128, 200])))
    return text if kind == "string" else rng.randbytes(rng.choice([0, 1, 8, 130]))


def build(rng, schema, fields, depth):
    """[(field, content)]: content is a Leaf, a list of messages' fields, a list of Leafs (packed) or MAPPED."""
    out, chosen = [], False
    for field in fields:
        if field.label == "oneof":
            if chosen or rng.random() < 0.4:
                continue
            chosen = True
        elif field.label != "required" and rng.random() < 0.25:
            continue
        is_message = field.type not in TYPES
        if is_message and depth <= 0:
            continue
        many = field.label in ("repeated", "map")
        seen = set()
        leaves = []
        for _ in range(rng.choice([0, 1, 2, 5]) if many else 1):
            if is_message:
                inner = GROUP if field.type == "group" else schema.messages[int(field.type[1:])]
                content = build(rng, schema, inner, depth - 1)
            else:
                absence = field.label not in ("required", "repeated")
                content = Leaf(field.type, random_value(rng, field.type), absence)
            if field.label == "map":
                key = Leaf(field.key, random_value(rng, field.key), True, True)
                if key.value in seen:
                    continue
                seen.add(key.value)
                out.append((field, MAPPED(key, content)))
            elif many and not is_message and field.type not in ("string", "bytes"):
                leaves.append(content)
            else:
                out.append((field, content))
        while leaves:
            take = rng.randrange(1, len(leaves) + 1)
            if rng.random() < 0.6:
                out.append((field, leaves[:take]))
            else:
                out += [(field, leaf) for leaf in leaves[:take]]
            leaves = leaves[take:]
    if rng.random() < 0.3:  # fields keep their order among themselves
        out.sort(key=lambda item: rng.random() if item[0].label not in ("repeated",) else 0.5)
    if rng.random() < 0.25:
        number = rng.randrange(3000, 18000)
        unknown = [zigzagless(number << 3) + zigzagless(rng.getrandbits(60)),
                   zigzagless(number << 3 | 2) + b"\x05hello",
                   zigzagless(number << 3 | 3) + zigzagless(8) + b"\1" + zigzagless(number << 3 | 4),
                   zigzagless(number << 3 | 5) + b"abcd", zigzagless(number << 3 | 1) + b"abcdefgh"]
        out.insert(rng.randrange(len(out) + 1), (None, rng.choice(unknown)))
    return out


def zigzagless(value, rng=None):
    out = bytearray()
    value &= 2**64 - 1
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    if rng is not None and rng.random() < 0.15 and len(out) < 4:  # longer than it need be
        out[-1] |= 0x80
        out.append(0)
    return bytes(out)


def encode_leaf(leaf, rng):
    kind, value = leaf.kind, leaf.value
    if kind in ("string", "bytes"):
        data = value.encode() if kind == "string" else value
        return zigzagless(len(data), rng) + data
    if kind in ("sint32", "sint64"):
        return zigzagless((value << 1) ^ (value >> 63), rng)
    formats = {"double": "<d", "float": "<f", "fixed32": "<I", "fixed64": "<Q", "sfixed32": "<i", "sfixed64": "<q"}
    if kind in formats:
        return struct.pack(formats[kind], value)
    return zigzagless(int(value), rng)


def tag(number, wire, rng):
    return zigzagless(number << 3 | wire, rng)


def encode(content, rng=None, drops=False):
    out = b""
    for field, value in content:
        if field is None:
            out += b"" if drops else value
        elif isinstance(value, Leaf):
            if not value.gone:
                out += tag(field.number, TYPES[field.type][1], rng) + encode_leaf(value, rng)
        elif isinstance(value, MAPPED):
            parts = []
            if not value.key.gone:
                parts.append(tag(1, TYPES[field.key][1], rng) + encode_leaf(value.key, rng))
            if not isinstance(value.value, Leaf):
                body = encode(value.value, rng, drops)
                parts.append(tag(2, 2, rng) + zigzagless(len(body), rng) + body)
            elif not value.value.gone:
                parts.append(tag(2, TYPES[field.type][1], rng) + encode_leaf(value.value, rng))
            body = b"".join(parts)
            out += tag(field.number, 2, rng) + zigzagless(len(body), rng) + body
        elif value and isinstance(value[0], Leaf):
            body = b"".join(encode_leaf(leaf, rng) for leaf in value)
            out += tag(field.number, 2, rng) + zigzagless(len(body), rng) + body
        elif field.type == "group":
            out += tag(field.number, 3, rng) + encode(value, rng, drops) + tag(field.number, 4, rng)
        else:
            body = encode(value, rng, drops)
            out += tag(field.number, 2, rng) + zigzagless(len(body), rng) + body
    return out


def leaves(content):
    for field, value in content:
        if field is None:
            continue
        if isinstance(value, Leaf):
            yield value
        elif isinstance(value, MAPPED):
            yield value.key
            if isinstance(value.value, Leaf):
                yield value.value
            else:
                yield from leaves(value.value)
        elif value and isinstance(value[0], Leaf):
            yield from value
        else:
            yield from leaves(value)


def text_of(kind, value):
    if kind == "bytes":
        return value
    if kind == "string":
        return value.encode()
    if kind == "bool":
        return b"true" if value else b"false"
    if kind == "Color":
        return COLORS[value].encode()
    if kind in ("float", "double"):
        return value
    return str(value).encode()


def fitted(kind, text):
    try:
        string = text.decode()
    except UnicodeDecodeError:
        return text if kind == "bytes" else None
    if kind in ("string", "bytes"):
        return string if kind == "string" else text
    if kind == "bool":
        return {"true": True, "false": False}.get(string)
    if kind == "Color":
        return COLORS.index(string) if string in COLORS else None
    try:
        if kind in ("float", "double"):
            value = float(string)
            return struct.unpack("<f", struct.pack("<f", value))[0] if kind == "float" else value
        value = int(string)
    except (ValueError, OverflowError):
        return None
    bits = 32 if "32" in kind else 64
    low, high = (0, 2**bits) if kind in ("uint32", "uint64", "fixed32", "fixed64") else (-(2 ** (bits - 1)),
                                                                                         2 ** (bits - 1))
    return value if low <= value < high else None


def apply(content, edits):
    for leaf, edit in zip(list(leaves(content)), edits):
        if edit is None:
            continue
        value = fitted(leaf.kind, bytes.fromhex(edit["text"])) if "text" in edit else None
        if value is not None:
            leaf.value = value
        elif leaf.absence:
            leaf.gone = True
        else:
            leaf.value = {"string": "", "bytes": b"", "bool": False, "float": 0.0, "double": 0.0}.get(leaf.kind, 0)


KINDS = {number: name for name, (number, _) in TYPES.items()}


def seen(message):
    """Every scalar that Python finds in a message, but for zeros, which it does not tell from what is absent."""
    for descriptor, value in message.ListFields():
        inner = descriptor.message_type
        if inner is not None and inner.GetOptions().map_entry:
            for key in value:
                yield text_of(KINDS[inner.fields_by_name["key"].type], key)
                held = inner.fields_by_name["value"]
                if held.message_type is not None:
                    yield from seen(value[key])
                else:
                    yield text_of(KINDS[held.type], value[key])
        elif inner is not None:
            for item in value if descriptor.is_repeated else [value]:
                yield from seen(item)
        else:
            for item in value if descriptor.is_repeated else [value]:
                yield text_of(KINDS[descriptor.type], item)


ZEROS = (b"", b"0", b"false", b"COLOR_NONE", 0.0)


def case(seed):
    rng = random.Random(seed)
    schema = Schema(rng)
    content = build(rng, schema, schema.messages[0], 5)
    return schema, content, encode(content, rng)


def main():
    command, first, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    for seed in range(first, first + count):
        schema, content, payload = case(seed)
        descriptors = schema.descriptors()
        if command == "generate":
            print(json.dumps({"schema": schema.text(), "descriptors": descriptors.SerializeToString().hex(),
                              "payload": payload.hex(), "seed": seed}))
            continue
        pool = descriptor_pool.DescriptorPool()
        pool.Add(descriptors.file[0])
        read = message_factory.GetMessageClass(pool.FindMessageTypeByName("shop.v1.M0")).FromString
        answer = json.loads(sys.stdin.readline())
        texts = [bytes.fromhex(text) for text in answer["texts"]]
        found = list(leaves(content))
        assert len(texts) == len(found), (seed, len(texts), len(found), schema.text())
        for index, (text, leaf) in enumerate(zip(texts, found)):
            expected = text_of(leaf.kind, leaf.value)
            if isinstance(expected, float):
                value = float(text)
                if leaf.kind == "float":
                    value = struct.unpack("<f", struct.pack("<f", value))[0]
                assert value == expected, (seed, text, expected)
                texts[index] = value
            else:
                assert text == expected, (seed, leaf.kind, text, expected)
        ours = collections.Counter(text for text in texts if text not in ZEROS)
        theirs = collections.Counter(text for text in seen(read(payload)) if text not in ZEROS)
        assert ours == theirs, (seed, ours, theirs)
        drops = seed % 2 == 0
        apply(content, answer["edits"])
        wanted, got = read(encode(content, None, drops)), read(bytes.fromhex(answer["payload"]))
        assert wanted == got, (seed, schema.text(), wanted, got)
        deterministic = [message.SerializeToString(deterministic=True) for message in (wanted, got)]
        assert deterministic[0] == deterministic[1], (seed, wanted, got)
    if command == "check":
        print("checked", count)


if __name__ == "__main__":
    main()
