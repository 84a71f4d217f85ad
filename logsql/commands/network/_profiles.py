"""What the commands that name a profile have in common."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from logsql.diagnostics.errors import SourceError, diagnostic, nearest
from logsql.diagnostics.messages import message
from logsql.diagnostics.network import MAKE_PROFILE, OTHER_PROFILE, UNKNOWN_PROFILE
from logsql.planner.services import CONFIGURATION

if TYPE_CHECKING:
    from logsql.configuration.settings import Profile
    from logsql.language.tree import Span
    from logsql.planner.stage import Stage


def profile_of(stage: Stage, name: str, kinds: Collection[str], span: Span | None = None) -> Profile:
    """The profile that a command names. Refuses the query for an unknown one, and for one of another kind."""
    profiles = stage.service(CONFIGURATION).profiles
    found = profiles.get(name)
    fitting = [other for other, profile in profiles.items() if profile.kind in kinds]
    if found is None:
        near = nearest(name, fitting) or fitting[:3]
        help = (
            message("help-did-you-mean", names=", ".join(near))
            if near
            else MAKE_PROFILE.fill(name=name, kind=next(iter(kinds)))
        )
        raise SourceError(diagnostic(UNKNOWN_PROFILE, span, help=help, name=name))
    if found.kind not in kinds:
        facts = {"kind": found.kind, "command": stage.spec.name, "kinds": ", ".join(sorted(kinds))}
        raise SourceError(diagnostic(OTHER_PROFILE, span, name=name, **facts))
    return found
