"""A labelled text or document, and what builds one piece by piece."""
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Label:
    """A positive: bytes [start, end) of the UTF-8 of the value at `path` ("" in a text); `alone` where nothing names it."""
    entity: str
    path: str
    start: int
    end: int
    text: str
    alone: bool = False
    region: str | None = None


@dataclass(frozen=True)
class Decoy:
    """A hard negative of a kind, in the same coordinates."""
    kind: str
    path: str
    start: int
    end: int
    text: str


@dataclass
class Sample:
    """One line of input: a text without line feeds, or a JSON document. `values` are the texts that spans refer to, by path."""
    format: str
    template: str
    line: str
    values: dict
    labels: list = field(default_factory=list)
    decoys: list = field(default_factory=list)


class Text:
    """A text under construction."""

    def __init__(self):
        self.pieces, self.at, self.labels, self.decoys = [], 0, [], []

    def plain(self, text):
        self.pieces.append(text)
        self.at += len(text.encode())
        return self

    def label(self, entity, text, alone=False, region=None):
        start = self.at
        self.plain(text)
        self.labels.append(Label(entity, "", start, self.at, text, alone, region))

    def decoy(self, kind, text):
        start = self.at
        self.plain(text)
        self.decoys.append(Decoy(kind, "", start, self.at, text))

    def text(self):
        return "".join(self.pieces)
