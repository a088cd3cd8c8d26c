"""Bytes to requests, one at a time: what is held is the request being read, however long the file.

Uses expat itself, with the refusals of defusedxml (whose own parsers build a tree, or call three times as often):
no entity may be declared or left unexpanded, nothing outside the file is ever fetched.
"""

import re
from typing import Final, NoReturn
from xml.parsers import expat

from services.ingress.formats.aaf.grammar import DOCUMENT, UNKNOWN_REQUEST, WRONG, Element, Request, Role
from services.ingress.formats.aaf.reads import BrokenFile, FileFault, RecordFault

MAX_RECORD: Final = 60_000
"""Characters, and 64 more for each value: what stays under the 256 KiB of a change, however it is escaped."""
MAX_ELEMENT: Final = 1 << 20
MAX_DEPTH: Final = 16
MAX_UNKNOWN_NAMES: Final = 1000
"""Names of elements and XML attributes that the grammar lacks; expat keeps each until the end of the file."""

# Bound once: two of these are compared for each of some hundred million tags.
_TEXT, _NAMED, _REQUEST, _CATEGORY = Role.TEXT, Role.NAMED, Role.REQUEST, Role.CATEGORY

_ENCODINGS = frozenset({"utf-8", "iso-8859-15", "iso-8859-1", "us-ascii"})
_METADATA = re.compile(r'\s*(\w{1,64})="([^"]{0,256})"\s*', re.ASCII)


class RequestParser:
    """Feed it a file; after each feed, `finished` holds the requests that ended, to be taken away by the caller."""

    def __init__(self) -> None:
        self.finished: list[Request] = []
        self.header: dict[str, str] = {}
        self.records = 0
        self._fed = 0
        self._path: list[Element] = [DOCUMENT]
        self._seen: set[str] = set()
        self._unknown: set[str] = set()
        self._request = Request(None, 0, 0)
        self._name = ""
        self._values: list[str] = []
        self._value_count = 0
        self._chunks: list[str] | None = None
        self._cost = 0
        self._parser = self._make_parser()

    def _make_parser(self) -> expat.XMLParserType:
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.buffer_size = 1 << 14
        parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        parser.XmlDeclHandler = self._xml_declaration
        parser.EntityDeclHandler = self._entity
        parser.UnparsedEntityDeclHandler = self._entity
        parser.ExternalEntityRefHandler = self._entity
        parser.SkippedEntityHandler = self._entity
        parser.CommentHandler = self._comment
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        return parser

    def feed(self, chunk: bytes) -> BrokenFile | None:
        """Read on, and say where the file must be given up; an empty chunk is the end of the file."""
        self._fed += len(chunk)
        try:
            self._parser.Parse(chunk, not chunk)
        except BrokenFile as broken:
            return broken
        except expat.ExpatError as error:
            is_early = not chunk and len(self._path) > 1
            return BrokenFile("truncated" if is_early else "not-xml", error.lineno, error.offset)
        # A tag, a comment or a declaration that does not end is kept by expat itself.
        return self._broken("too-large") if self._fed - self._parser.CurrentByteIndex > MAX_ELEMENT else None

    def _broken(self, kind: FileFault) -> BrokenFile:
        return BrokenFile(kind, self._parser.CurrentLineNumber, self._parser.CurrentColumnNumber)

    def _fault(self, kind: RecordFault) -> None:
        self._request.fault = self._request.fault or kind
        self._request.attributes.clear()

    def _xml_declaration(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding is not None and encoding.lower() not in _ENCODINGS:
            raise self._broken("encoding")

    def _entity(self, *_declaration: object) -> NoReturn:
        raise self._broken("entity")

    def _comment(self, comment: str) -> None:
        found = _METADATA.fullmatch(comment)
        if found is not None and self.records == 0 and len(self.header) < 32:
            self.header[found[1]] = found[2]

    def _start(self, name: str, xml_attributes: dict[str, str]) -> None:
        path = self._path
        element = path[-1].children.get(name)
        if element is None or (xml_attributes and len(xml_attributes) > element.xml_attributes):
            element = self._unexpected(name, xml_attributes)
        path.append(element)
        role = element.role
        if role is _TEXT:
            self._chunks = []
        elif role is _NAMED:
            self._start_named(element, xml_attributes)
        elif role is _REQUEST:
            self._start_request(element)
        elif role is _CATEGORY:
            self._name = xml_attributes.get("name", "")
            self._values, self._value_count = [], 0
        elif len(path) > MAX_DEPTH:
            raise self._broken("too-deep")
        elif element.once is not None:
            self._hold_once(element.once)

    def _unexpected(self, name: str, xml_attributes: dict[str, str]) -> Element:
        self._unknown.update((name, *xml_attributes))
        if len(self._unknown) > MAX_UNKNOWN_NAMES:
            raise self._broken("too-large")
        if len(self._path) == 1:
            raise self._broken("root")
        if len(self._path) == 2:
            return UNKNOWN_REQUEST
        self._fault("structure")
        return WRONG

    def _start_request(self, element: Element) -> None:
        self.records += 1
        self._request = Request(element.kind, self.records, self._parser.CurrentLineNumber)
        self._seen.clear()
        self._cost = 0
        if element.kind is None:
            self._fault("unknown-request")

    def _hold_once(self, what: str) -> None:
        if what in self._seen:
            self._fault("structure")
        self._seen.add(what)

    def _start_named(self, element: Element, xml_attributes: dict[str, str]) -> None:
        name = self._name = xml_attributes.get("name", "")
        self._values, self._value_count = [], 0
        if not name:
            self._fault("structure")
        elif name in self._request.attributes:
            self._fault("repeated-attribute")
        elif element.kind == "patch" and xml_attributes.get("operation") != "replace":
            self._fault("unknown-operation")

    def _text(self, text: str) -> None:
        chunks = self._chunks
        if chunks is not None:
            chunks.append(text)
            if len(chunks) > 1:
                self._bound(chunks)
        elif not text.isspace():
            self._fault("structure")

    def _bound(self, chunks: list[str]) -> None:
        """A text comes in one chunk, but where it is long, or broken up by comments."""
        self._cost += len(chunks[-1]) + 64
        if self._cost > MAX_ELEMENT:
            raise self._broken("too-large")

    def _end(self, name: str) -> None:
        role = self._path.pop().role
        if role is _TEXT:
            chunks = self._chunks
            self._chunks = None
            if chunks:
                self._end_text(chunks[0] if len(chunks) == 1 else "".join(chunks), name)
            else:
                self._end_text("", name)
        elif role is _NAMED:
            self._end_named()
        elif role is _CATEGORY:
            self._end_category()
        elif role is _REQUEST:
            self._end_request()

    def _end_text(self, text: str, name: str) -> None:
        self._cost += len(text) + 64
        if self._cost > MAX_RECORD:
            self._fault("too-large")
        elif name == "id":
            self._end_id(text)
        else:
            self._value_count += 1
            if text:
                self._values.append(text)

    def _end_id(self, text: str) -> None:
        if self._request.id is not None:
            self._fault("structure")
        self._request.id = text

    def _end_named(self) -> None:
        if self._value_count == 0:
            self._fault("structure")
        elif self._request.fault is None:
            self._request.attributes[self._name] = self._values

    def _end_category(self) -> None:
        if self._request.category is not None or self._value_count != 1:
            self._fault("structure")
        self._request.category = (self._name, self._values[0] if self._values else "")

    def _end_request(self) -> None:
        request = self._request
        has_content = request.kind != "delete"
        is_whole = request.category is not None and request.id is not None and bool(request.attributes) == has_content
        if len(self._seen) != 2 + has_content or not is_whole:
            self._fault("structure")
        self.finished.append(request)
