"""The shell's own commands: one row each for help and completion."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Meta:
    """A backslash command: name, arguments, and the name of its help sentence."""

    name: str
    usage: str
    help: str

    @property
    def synopsis(self) -> str:
        return f"{self.name} {self.usage}".strip()


METAS: tuple[Meta, ...] = (
    Meta("\\?", "", "meta-help"),
    Meta("\\q", "", "meta-quit"),
    Meta("\\d", "[TABLE]", "meta-tables"),
    Meta("\\i", "FILE", "meta-run"),
    Meta("\\set", "[NAME[:]=VALUE | notes on|off]", "meta-set"),
    Meta("\\unset", "NAME", "meta-unset"),
    Meta("\\sql", "on|off", "meta-sql"),
    Meta("\\plan", "[--run] [QUERY]", "meta-plan"),
    Meta("\\save", "NAME", "meta-save"),
    Meta("\\loss", "", "meta-loss"),
    Meta("\\rows", "N", "meta-rows"),
    Meta("\\format", "FORMAT", "meta-format"),
    Meta("\\tz", "[ZONE]", "meta-tz"),
    Meta("\\profile", "list | show NAME | set NAME KEY=VALUE ... | password | remove | test", "meta-profile"),
)
