"""What an import that the scan found really is, asked of tree-sitter where a finding would follow."""

from __future__ import annotations

import re
from enum import Enum
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from bridge.workspace.imports import STYLES, Site

if TYPE_CHECKING:
    from tree_sitter import Node, Parser, Tree


class Kind(Enum):
    """How a specifier is used; ``NONE`` is text in a comment, a string or a template."""

    VALUE = "import"
    DYNAMIC = "dynamic import"
    REQUIRE = "require"
    OPTIONAL = "optional"
    TYPE = "type-only"
    ELIDED = "used as a type alone"
    STYLE = "style"
    NONE = "none"

    @property
    def runs(self) -> bool:
        """Whether a build or a run fails without the package."""
        return self in (Kind.VALUE, Kind.DYNAMIC, Kind.REQUIRE, Kind.STYLE)


_COMMENTS: Final = frozenset({"comment", "html_comment"})
_STRINGS: Final = frozenset({"string", "template_string"})
_TEXT: Final = frozenset({"jsx_text", "regex"})


@cache
def _parser(jsx: bool) -> Parser:
    import tree_sitter
    import tree_sitter_typescript

    language = tree_sitter_typescript.language_tsx() if jsx else tree_sitter_typescript.language_typescript()
    return tree_sitter.Parser(tree_sitter.Language(language))


def parse(path: str, code: bytes) -> Tree:
    """Return the syntax tree of a script. Never fails: what is wrong becomes error nodes."""
    return _parser(not path.endswith((".ts", ".mts", ".cts"))).parse(code)


def kinds(path: str, code: bytes, sites: list[Site]) -> list[Kind]:
    """Return what each of ``sites`` in ``code`` is."""
    if path.endswith(STYLES):
        return [_style(code, site) for site in sites]
    tree = parse(path, code)
    declarations = path.endswith((".d.ts", ".d.mts", ".d.cts"))
    found = [_kind(tree.root_node, code, site) for site in sites]
    return [Kind.TYPE if declarations and kind.runs else kind for kind in found]


def _style(code: bytes, site: Site) -> Kind:
    opened = code.rfind(b"/*", 0, site.start)
    return Kind.NONE if opened > code.rfind(b"*/", 0, site.start) else Kind.STYLE


def _kind(root: Node, code: bytes, site: Site) -> Kind:
    node = root.descendant_for_byte_range(site.start, site.end)
    if node is None or node.type in _TEXT:
        return Kind.NONE
    if node.type in _COMMENTS:
        return _comment(code, node, site)
    string = node if node.type in _STRINGS else node.parent
    if (
        string is None
        or string.type not in _STRINGS
        or string.end_byte - string.start_byte > len(site.specifier.encode()) + 2
    ):
        return Kind.NONE
    return _user(string)


def _comment(code: bytes, node: Node, site: Site) -> Kind:
    """JSDoc types and pragmas count, prose does not."""
    text = code[node.start_byte : node.end_byte]
    before = code[node.start_byte : site.start]
    if text.startswith(b"///") and b"<reference" in text:
        return Kind.TYPE
    if b"@jsxImportSource" in before:
        return Kind.VALUE
    line = before[before.rfind(b"\n") + 1 :]
    is_type = (b"{" in line and b"import(" in line) or b"@import" in line
    return Kind.TYPE if text.startswith(b"/**") and is_type else Kind.NONE


def _user(string: Node) -> Kind:
    parent = string.parent
    if parent is None:
        return Kind.NONE
    if parent.type == "import_statement" or parent.type == "import_require_clause":
        return _statement(parent if parent.type == "import_statement" else parent.parent or parent)
    if parent.type == "export_statement":
        return Kind.TYPE if any(child.type == "type" for child in parent.children) else Kind.VALUE
    if parent.type == "arguments" and parent.parent is not None and parent.named_children[:1]:
        return _call(parent.parent, parent, string)
    return Kind.NONE


def _statement(node: Node) -> Kind:
    if any(child.type == "type" for child in node.children):
        return Kind.TYPE
    clause = next((child for child in node.children if child.type == "import_clause"), None)
    if clause is None:
        return Kind.VALUE
    if _only_as_types(node, clause):
        return Kind.ELIDED
    names = clause.named_children
    if len(names) == 1 and names[0].type == "named_imports" and (items := _specifiers(names[0])):
        return Kind.TYPE if all(any(part.type == "type" for part in item.children) for item in items) else Kind.VALUE
    return Kind.VALUE


def _only_as_types(statement: Node, clause: Node) -> bool:
    """Whether every name that is imported is used, and used as a type alone: the compiler then drops the import."""
    names = {name for node in _bound(clause) if (name := node.text)}
    root = statement
    while root.parent is not None:
        root = root.parent
    code = root.text or b""
    return bool(names) and all(_is_type_name(root, code, name, statement) for name in names)


def _bound(clause: Node) -> list[Node]:
    found, pending = [], list(clause.named_children)
    while pending:
        node = pending.pop()
        if node.type == "identifier":
            found.append(node)
        elif node.type == "import_specifier":
            local = node.child_by_field_name("alias") or node.child_by_field_name("name")
            found += [local] if local is not None else []
        else:
            pending += node.named_children
    return found


def _is_type_name(root: Node, code: bytes, name: bytes, statement: Node) -> bool:
    used = False
    for match in re.finditer(rb"(?<![\w$.])" + re.escape(name) + rb"(?![\w$])", code):
        if statement.start_byte <= match.start() < statement.end_byte:
            continue
        node = root.descendant_for_byte_range(match.start(), match.end())
        if (
            node is None
            or node.type in _COMMENTS
            or node.type in ("string_fragment", "jsx_text", "property_identifier")
        ):
            continue
        inside = node.parent is not None and node.parent.type in ("nested_type_identifier", "type_query")
        if node.type != "type_identifier" and not inside:
            return False
        used = True
    return used


def _specifiers(node: Node) -> list[Any]:
    return [child for child in node.named_children if child.type == "import_specifier"]


def _call(call: Node, arguments: Node, string: Node) -> Kind:
    values = [child for child in arguments.named_children if child.type not in _COMMENTS]
    function = call.child_by_field_name("function")
    if not values or values[0] != string or function is None:
        return Kind.NONE
    text = function.text or b""
    if text == b"import":
        return _dynamic(call)
    if text == b"require":
        return Kind.OPTIONAL if _is_guarded(call) or _is_late(call) else Kind.REQUIRE
    return Kind.OPTIONAL if text == b"require.resolve" else Kind.NONE


def _dynamic(call: Node) -> Kind:
    """``import("x")`` as a type, guarded by ``catch``, or as a value."""
    above = call.parent
    while above is not None and above.type in ("member_expression", "call_expression", "await_expression"):
        if above.type == "member_expression" and _property(above) == b"catch":
            return Kind.OPTIONAL
        above = above.parent
    if above is not None and (_is_type(above) or (above.text or b"").startswith(b"typeof ")):
        return Kind.TYPE
    return Kind.OPTIONAL if _is_guarded(call) else Kind.DYNAMIC


def _property(node: Node) -> bytes:
    field = node.child_by_field_name("property")
    return (field.text or b"") if field is not None else b""


def _is_type(node: Node) -> bool:
    return node.type.endswith(("_type", "_annotation", "type_query", "_arguments", "_alias_declaration", "_identifier"))


def _is_late(node: Node) -> bool:
    """Whether it stands inside a function, so that it is asked for when that function runs and not before."""
    above = node.parent
    while above is not None:
        if above.type in ("function_declaration", "function_expression", "arrow_function", "method_definition"):
            return True
        above = above.parent
    return False


def _is_guarded(node: Node) -> bool:
    """Whether a ``try`` with a ``catch`` stands around it, inside the same function."""
    child, above = node, node.parent
    while above is not None:
        if above.type == "try_statement" and above.child_by_field_name("body") == child:
            return above.child_by_field_name("handler") is not None
        child, above = above, above.parent
    return False
