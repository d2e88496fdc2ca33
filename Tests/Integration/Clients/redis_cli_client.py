"""redis-cli: the scenario in words, in RESP2 or RESP3, as its standard output has it."""
import os
import re
import shlex
import subprocess

from redis_common import BRIEF, arguments, say
from redis_words import STEPS

# The age of a consumer or of a pending entry, and a clock's milliseconds.
AGE = re.compile(r'("(?:idle|inactive|seen-time|active-time)"(?: => |\n *\d+[)#] )\(integer\) )\d+')
PENDING = re.compile(r'("\d+-\d+"\n +2\) "[^"]*"\n +3\) \(integer\) )\d+(?=\n +4\) \(integer\))')
CLOCK = re.compile(r"\b1\d{12}\b")
END = "--end--"


def script():
    """What goes to its standard input, and the label of each part of what comes out. A transaction is one part."""
    lines, labels, queued = [], [], []
    for words, _ in STEPS:
        lines.append(" ".join(shlex.quote(word) if word else '""' for word in words))
        queued.append(" ".join(words))
        if queued[0] != "MULTI" or words[0] in ("EXEC", "DISCARD"):
            lines.append("ECHO " + END)
            labels.append("; ".join(queued))
            queued = []
    return "\n".join(lines) + "\n", labels


if __name__ == "__main__":
    given = arguments(__doc__, protocol={"type": int, "choices": [2, 3], "default": 2}, cli={"default": "redis-cli"})
    more = ["-3"] if given.protocol == 3 else []
    more += ["--tls", "--cacert", given.ca] if given.ca else []
    lines, labels = script()
    done = subprocess.run(
        [given.cli, "-h", given.host, "-p", str(given.port), "--user", given.user, "--no-auth-warning", "--no-raw", *more],
        input=lines, env={**os.environ, "REDISCLI_AUTH": given.token}, capture_output=True, text=True, timeout=given.seconds)
    text = AGE.sub(r"\1TIME", PENDING.sub(r"\1TIME", CLOCK.sub("TIME", BRIEF.sub(r"\1", done.stdout))))
    parts = text.split(f'"{END}"\n')
    assert len(parts) == len(labels) + 1, (len(parts), len(labels), done.stderr)
    for label, part in zip(labels + ["after the last"], parts):
        say(label, part)
    say("errors", done.stderr)
