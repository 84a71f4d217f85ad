"""The catalogue of diagnostics: one row per code, in English and Korean. ``logsql help 20600`` and
``docs/reference/errors.md`` are printed from it.

How to refuse a query, from the declaration to the call:

1. A row stands where it belongs: one command's row in that command's file, above its ``CommandSpec``; a row of several
   commands or of none in this room (``options.py``, ``expressions.py`` ...). Code and name never change::

       LIMIT_ARGS = define(
           "20600", "invalid-limit-args",
           ("no number, or more than two", "숫자가 없거나 셋 이상입니다"),                       # when it is raised
           ("limit takes one or two numbers, got {count}", "limit에는 숫자를 하나나 둘 씁니다: {count}개"),
           help=syntax("limit [OFFSET] COUNT"),
       )

   The first pair says when the row is raised (pages, ``help CODE``); the second is the sentence printed. Left out, the
   first pair is printed too. ``{places}`` are filled by keyword. Both languages have the same places, but for those of
   :data:`ENGLISH_ONLY` (``{s}``: a plural). ``help`` is one concrete change; :func:`syntax` is a form that reads the
   same in both languages.

2. A code with several sentences: one row, and one more sentence for each, made once at module level::

       CROSS_WITH_KEYS = INVALID_OPTION.says(
           ("a cross join takes no keys", "교차 조인에는 키를 쓰지 않습니다"),
           help=("remove the keys or type=cross", "키나 type=cross를 지우세요"),
       )

   A sentence may have a name of its own where the code has several by tradition (``name="write-not-allowed"``).
   A shared text under a code that the caller gives: ``code.with_text(MISSING_CLAUSE)``.

3. Raise it: ``stage.fail(LIMIT_ARGS, span, count=n)``, ``reader.fail(ROW, span, ...)``,
   ``call.fail(ROW, position, ...)``, ``fail(ROW, span, ...)``, or with a class of its own
   ``RunError(diagnostic(ROW, ...))``. Without ``span`` it points at the command or call. ``help=`` and ``notes=`` take
   text made from the catalogue: ``did_you_mean(...)``, ``HELP.fill(...)`` of a ``text(...)``, ``message(...)``. A
   literal sentence there is refused by ``tests/house/test_sentences.py``.

4. ``CommandSpec.errors`` lists the rows, ``errors=(LIMIT_ARGS, INVALID_OPTION.when(("a type …", "…")))``;
   ``when`` tells the cause in this command, for its page.

5. A code of ``N`` and four digits is a note (``notes.py``): the query runs, and may not mean what it says. Ranges:
   N10xx names and fields, N11xx commands and order, N12xx types, comparisons and constants, N13xx dates and numbers,
   N14xx sources and parsers, N15xx parameters, N16xx regular expressions, N17xx joins, N19xx others.

What a library or the system says (a regular expression's fault, ``OSError.strerror``) is a fact: ``{reason}``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from logsql.diagnostics.messages import ENGLISH_ONLY, Pair, Text, syntax, text

__all__ = ["CODES", "ENGLISH_ONLY", "SENTENCES", "Code", "Pair", "Sentence", "Text", "define", "syntax", "text"]

_CODE = re.compile(r"[EN]\d{4}|\d{5}")


@dataclass(frozen=True)
class Sentence:
    """What is printed under a code: the symbolic name, the sentence, and the help line that goes with it."""

    code: str
    name: str
    text: Text
    help: Text | None = None


@dataclass(frozen=True)
class Code(Sentence):
    """A row of the catalogue. ``meaning`` tells when it is raised; :attr:`text` is its first sentence."""

    meaning: Text = field(kw_only=True)

    def says(self, sentence: Pair | Text, help: Pair | Text | None = None, name: str | None = None) -> Sentence:
        """One more sentence of this code, listed on its page."""
        said = Sentence(self.code, name or self.name, _text(sentence), None if help is None else _text(help))
        SENTENCES[self.code].append(said)
        return said

    def with_text(self, sentence: Text, help: Text | None = None) -> Sentence:
        """A shared sentence under this code, for readers of arguments that are given the code to use."""
        return Sentence(self.code, self.name, sentence, help)

    def when(self, meaning: Pair, name: str | None = None) -> Code:
        """The same row with the cause it has in one command, for the table of errors on that command's page."""
        return replace(self, meaning=_text(meaning), name=name or self.name)


#: code -> row
CODES: dict[str, Code] = {}
#: code -> every sentence printed under it
SENTENCES: dict[str, list[Sentence]] = {}


def define(
    code: str,
    name: str,
    meaning: Pair | Text,
    sentence: Pair | Text | None = None,
    help: Pair | Text | None = None,
) -> Code:
    """Add a row. A code that is there already, or is no code, is a programming error (ValueError).

    ``name`` may have places too (``{function}-arg-missing``). Without ``sentence`` nothing is listed as printed until
    :meth:`Code.says` adds it.
    """
    if _CODE.fullmatch(code) is None or code in CODES:
        raise ValueError(f"code {code!r} is already defined, or is none")
    cause = _text(meaning)
    said = cause if sentence is None else _text(sentence)
    found = Code(code, name, said, None if help is None else _text(help), meaning=cause)
    CODES[code] = found
    SENTENCES[code] = [] if sentence is None else [found]
    return found


def _text(pair: Pair | Text) -> Text:
    return pair if isinstance(pair, Text) else text(*pair)
