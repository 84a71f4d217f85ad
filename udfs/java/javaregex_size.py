"""How long a pattern gets: the library writes repetitions out as often as they must come."""

from __future__ import annotations

from udfs.java.javaregex_parser import Alt, Atomic, Group, Look, Node, RegexSyntaxError, Repeat, Seq

#: Steps of a pattern: ``((a{1000}){1000}){1000}`` took all memory there was. A million take 280 MB and two seconds.
MAX_SIZE = 200_000


def check_size(root: Node) -> None:
    """Raise RegexSyntaxError for a pattern of more than :data:`MAX_SIZE` steps."""
    if _size(root) > MAX_SIZE:
        raise RegexSyntaxError(f"Repetitions make the pattern longer than {MAX_SIZE:,} steps", 0)


def _size(node: Node) -> int:
    if isinstance(node, Seq):
        return sum(map(_size, node.items))
    if isinstance(node, Alt):
        return sum(map(_size, node.branches))
    if isinstance(node, Repeat):
        return _size(node.body) * max(node.minimum, 1)
    return _size(node.body) if isinstance(node, Group | Atomic | Look) else 1
