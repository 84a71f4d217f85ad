"""What a user reads when an optional package is missing: who needs it, and how to install it."""

from __future__ import annotations

from logsql.diagnostics.codes import define
from logsql.diagnostics.errors import Diagnostic, diagnostic
from udfs.extras import MissingExtra

PACKAGE_MISSING = define(
    "E3104",
    "package-missing",
    ("an optional package is not installed", "선택 패키지가 설치되어 있지 않습니다"),
    (
        "{what} needs the package {package}, which is not installed",
        "{what}: {package} 패키지가 설치되어 있지 않습니다",
    ),
    help=(
        "install it: pip install 'logsql[{extra}]', in a checkout: python3 .ci/install.py .venv {extra}",
        "설치: pip install 'logsql[{extra}]', 소스 디렉터리에서는 python3 .ci/install.py .venv {extra}",
    ),
)


def missing_extra(problem: MissingExtra) -> Diagnostic:
    """The diagnostic, in the language in force."""
    return diagnostic(PACKAGE_MISSING, what=problem.what, package=problem.package, extra=problem.extra)
