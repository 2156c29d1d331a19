"""Why there is no video: the result of ``Client.diagnose``."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import timedelta
from typing import Optional, Tuple

from . import _html
from .models import Json


class Verdict(str, enum.Enum):
    """The verdict of a :class:`Check`."""

    #: Not checked: it does not apply, or a problem prevents it.
    NOT_CHECKED = "notChecked"
    #: As it should be.
    OK = "ok"
    #: Works, but not for every client or not in every case.
    WARNING = "warning"
    #: Prevents publishing or playing.
    PROBLEM = "problem"


@dataclass(frozen=True)
class Check(_html.Fields):
    """One check of a :class:`Diagnosis`."""

    #: What it is about, such as "rtmp-port"; ids never change.
    id: str
    verdict: Verdict
    #: What was seen, or why it was not checked, in one sentence.
    seen: str
    #: What to do about a warning or a problem.
    advice: Optional[str]

    @classmethod
    def of(cls, json: Json) -> Check:
        return cls(json["id"], Verdict(json["verdict"]), json["seen"], json.get("advice"))


@dataclass(frozen=True)
class Diagnosis:
    """Why there is, or may be, no video."""

    #: Every check.
    checks: Tuple[Check, ...]
    #: The number of problems.
    problems: int
    #: The number of warnings.
    warnings: int
    #: The elapsed time.
    elapsed: timedelta

    @classmethod
    def of(cls, json: Json) -> Diagnosis:
        return cls(
            tuple(map(Check.of, json["checks"])),
            json["problems"],
            json["warnings"],
            timedelta(milliseconds=json["elapsedMs"]),
        )

    def __getitem__(self, id: str) -> Check:
        """Returns a check by its id."""
        for check in self.checks:
            if check.id == id:
                return check
        raise KeyError(id)

    def found(self) -> Tuple[Check, ...]:
        """Returns the checks that found a problem or a warning."""
        return tuple(
            check for check in self.checks if check.verdict in (Verdict.PROBLEM, Verdict.WARNING)
        )

    def _repr_html_(self) -> str:
        rows = [
            (check.id, check.verdict.value, check.seen, check.advice)
            for check in self.checks
            if check.verdict is not Verdict.NOT_CHECKED
        ]
        return _html.table(("Check", "Verdict", "Seen", "What to do"), rows)
