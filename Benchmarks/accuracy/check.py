"""What must hold of every sample before anybody is measured with it. Cheap: run at each start."""
import json

from .payments import base58check, bech32
from .world import is_valid


class Unsound(Exception):
    """A label that is not what it says: our bug."""


def leaves(node, path=""):
    """Path and text of every scalar of a parsed document; numbers as they were written."""
    if isinstance(node, dict):
        for key, child in node.items():
            yield from leaves(child, f"{path}.{key}" if path else key)
    elif isinstance(node, list):
        for index, child in enumerate(node):
            yield from leaves(child, f"{path}[{index}]")
    else:
        yield path, node if isinstance(node, str) else json.dumps(node)


def parsed(line):
    return json.loads(line, parse_int=str, parse_float=str)


def check(samples):
    """Every label's bytes are its text, at its path, and valid by that entity's oracle; no two overlap. Returns their number."""
    known = [  # Bitcoin wiki and BIP 350: encoders of ours, against what others published
        (base58check(0, bytes.fromhex("62e907b15cbf27d5425399ebf6f0fb50ebb88f18")), "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"),
        (bech32(0, bytes.fromhex("751e76e8199196d454941c45d1b3a323f1433bd6")), "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),
        (bech32(1, bytes.fromhex("79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")),
         "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0")]
    for made, published in known:
        if made != published:
            raise Unsound(f"an encoder makes {made} where {published} is published")
    count = 0
    for sample in samples:
        if "\n" in sample.line:
            raise Unsound(f"{sample.template}: a line feed in a line")
        if sample.format == "json" and dict(leaves(parsed(sample.line))) != sample.values:
            raise Unsound(f"{sample.template}: the document does not read back as its values: {sample.line}")
        spans = sorted((x.path, x.start, x.end) for x in [*sample.labels, *sample.decoys])
        for (path, _, end), (after, start, _) in zip(spans, spans[1:]):
            if path == after and start < end:
                raise Unsound(f"{sample.template}: labels overlap at {path or start}: {sample.line}")
        for x in [*sample.labels, *sample.decoys]:
            if sample.values[x.path].encode()[x.start:x.end].decode() != x.text:
                raise Unsound(f"{sample.template}: {x} is not what stands there: {sample.line}")
        for label in sample.labels:
            count += 1
            if not is_valid(label.entity, label.text, label.region):
                raise Unsound(f"{sample.template}: {label.text!r} is no valid {label.entity}")
    return count
