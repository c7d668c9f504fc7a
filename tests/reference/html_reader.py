"""HTML read back: elements in order, their text, and whether every one that is opened is closed."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = ("br", "img", "link", "meta")


class Reader(HTMLParser):
    """``elements`` are (name, attributes); ``within`` are the texts by the name of the innermost element."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict]] = []
        self.open: list[str] = []
        self.text = ""
        self.within: dict[str, list[str]] = {}
        self.feed(html)
        self.close()

    def handle_starttag(self, name, attributes):
        self.elements.append((name, dict(attributes)))
        assert len(dict(attributes)) == len(attributes), f"an attribute of {name} is given twice"
        if name not in VOID:
            self.open.append(name)

    def handle_endtag(self, name):
        assert self.open.pop() == name

    def handle_data(self, text):
        self.text += text
        self.within.setdefault(self.open[-1] if self.open else "", []).append(text)

    def all(self, name: str) -> list[dict]:
        """Return the attributes of every element called ``name``."""
        return [attributes for found, attributes in self.elements if found == name]
