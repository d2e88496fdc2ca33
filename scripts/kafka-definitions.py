#!/usr/bin/env python3
"""Compiles Kafka's message definitions into Sources/Backends/Kafka/Schema/Generated/KafkaDefinitions.swift.

usage: kafka-definitions.py FOLDER [OUTPUT]     FOLDER holds ListOffsetsRequest.json and its like (clients/src/main/resources/common/message)

One line a message: `key direction name lowest-highest flexible | fields`. A field is
    name:type@versions?nullable#tag/versions=default%entity   and, for structures,   {fields}
`[]` before the type is an array; whatever has its usual value (all versions, not nullable, no tag, no default) is left out.
"""
import json, os, re, sys

CLIENT_KEYS = [0, 1, 2, 3, *range(8, 52), 55, 57, 60, 61, 64, 65, 66, 68, 69, 71, 72, 74, 75, 76, 77, 78, 79, 80, 81,
               *range(83, 93)]


def load(path):
    with open(path) as file:
        lines = [re.sub(r"^\s*//.*$", "", line) for line in file.read().split("\n")]
    return json.loads("\n".join(re.sub(r"\s//[^\"]*$", "", line) for line in lines))


def versions(text):
    """`4+`, `0-3`, `7`, `none` as `lowest-highest`."""
    if text == "none":
        return "none"
    if text.endswith("+"):
        return text
    return text if "-" in text else f"{text}-{text}"


def field(definition, common):
    kind = definition["type"]
    bare = kind.removeprefix("[]")
    fields = definition.get("fields") or common.get(bare)
    text = definition["name"] + ":" + ("[]" if kind.startswith("[]") else "") + ("" if fields else bare)
    if definition["versions"] != "0+":
        text += "@" + versions(definition["versions"])
    if definition.get("nullableVersions"):
        text += "?" + versions(definition["nullableVersions"])
    if "tag" in definition:
        text += f"#{definition['tag']}/" + versions(definition["taggedVersions"])
    default = str(definition.get("default", "")).strip()
    if default not in ("", "0", "false", "False"):
        text += "=" + ("true" if default == "True" else default)
    if "entityType" in definition:
        text += "%" + definition["entityType"]
    if fields:
        text += "{" + " ".join(field(inner, common) for inner in fields) + "}"
    return text


def main():
    folder = sys.argv[1]
    lines = []
    for name in sorted(os.listdir(folder)):
        if not name.endswith(("Request.json", "Response.json")):
            continue
        message = load(os.path.join(folder, name))
        if message.get("apiKey") not in CLIENT_KEYS or message["validVersions"] == "none":
            continue
        common = {structure["name"]: structure["fields"] for structure in message.get("commonStructs", [])}
        fields = " ".join(field(inner, common) for inner in message["fields"])
        lines.append((message["apiKey"], message["type"] == "response", " ".join([
            str(message["apiKey"]), message["type"], message["name"], versions(message["validVersions"]),
            versions(message["flexibleVersions"]), "|", fields])))
    lines.sort()
    text = "// Made by scripts/kafka-definitions.py from Apache Kafka's message definitions (Apache-2.0). Do not edit.\n\n"
    text += "/// Every request and response that a client and a broker exchange; the script says how to read a line.\n"
    text += "enum KafkaDefinitions {\n    static let lines: [StaticString] = [\n"
    text += "".join(f'        "{line}",\n' for _, _, line in lines)
    text += "    ]\n}\n"
    if len(sys.argv) > 2:
        with open(sys.argv[2], "w") as file:
            file.write(text)
    else:
        sys.stdout.write(text)


main()
