"""What a user reads when an optional package is missing: who needs it, and how to install it."""

from __future__ import annotations

from logsql.diagnostics.errors import Diagnostic
from logsql.diagnostics.messages import add_messages, message
from udfs.extras import MissingExtra

CODE, NAME = "E3104", "package-missing"

add_messages(
    {
        "needs-package": (
            "{what} needs the package {package}, which is not installed",
            "{what}: {package} 패키지가 설치되어 있지 않습니다",
        ),
        "help-install-extra": ("install it: pip install 'logsql[{extra}]'", "설치: pip install 'logsql[{extra}]'"),
    }
)


def missing_extra(problem: MissingExtra, code: str = CODE, name: str = NAME) -> Diagnostic:
    """The diagnostic, in the language in force. Readers keep the code of their family."""
    said = message("needs-package", what=problem.what, package=problem.package)
    return Diagnostic(code, name, said, help=message("help-install-extra", extra=problem.extra))
