"""When GitHub is asked again, and after how long. The one retry policy of the API."""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

from agent.model.errors import IkomaError

if TYPE_CHECKING:
    from tenacity import RetryCallState, Retrying

T = TypeVar("T")

_ATTEMPTS: Final = 9
_PASSING: Final = frozenset({502, 503, 504})
_SECONDARY: Final = ("secondary rate limit", "abuse detection", "please retry your request again later")
_SECONDARY_S: Final = 60.0
"""What GitHub asks to wait for at least when it does not say."""


def advice(fault: BaseException, failures: int, now: float) -> float | None:
    """Return after how many seconds to ask again, or None when that would be of no use. Pure but for its jitter.

    Args:
        failures: how many attempts have failed in a row.
        now: seconds since 1970, to compare with the time at which a limit ends.
    """
    status, headers = getattr(fault, "status", None), _headers(fault)
    if status in (403, 429) and (wait := _limit(fault, headers, failures, now)) is not None:
        return wait
    if status in _PASSING or (status is None and _broken_off(fault)):
        return min(0.5 * 2.0**failures, 8.0) * random.uniform(0.75, 1.25)  # noqa: S311  only spreads load
    return None


def _limit(fault: BaseException, headers: Mapping[str, Any], failures: int, now: float) -> float | None:
    after = _seconds(headers.get("retry-after"))
    if after is not None:
        return after
    if str(headers.get("x-ratelimit-remaining")) == "0" and (reset := _seconds(headers.get("x-ratelimit-reset"))):
        return max(1.0, reset - now + 1.0)
    secondary = any(text in str(fault).lower() for text in _SECONDARY)
    return _SECONDARY_S * 2.0 ** (failures - 1) if secondary or getattr(fault, "status", None) == 429 else None


def _broken_off(fault: BaseException) -> bool:
    """Say whether the line failed rather than the request: no certificate gets better by asking again."""
    import json

    from requests import exceptions

    if isinstance(fault, exceptions.SSLError):
        return False
    broken = (exceptions.ConnectionError, exceptions.Timeout, exceptions.ChunkedEncodingError)
    return isinstance(fault, (*broken, exceptions.ContentDecodingError, json.JSONDecodeError))


def _foreign(fault: BaseException) -> bool:
    import json

    from github import GithubException
    from requests import RequestException

    return isinstance(fault, (GithubException, RequestException, json.JSONDecodeError))


def _headers(fault: BaseException) -> Mapping[str, Any]:
    headers = getattr(fault, "headers", None) or {}
    return {str(name).lower(): value for name, value in headers.items()}


def _seconds(value: object) -> float | None:
    with contextlib.suppress(TypeError, ValueError):
        return float(str(value)) if value is not None else None
    return None


@dataclass(frozen=True)
class Policy:
    """How patient one call is.

    Attributes:
        patience: seconds after the first failure beyond which nothing is tried any more.
        longest: the longest single wait that a rate limit may ask for.
        sleep, clock, now: tests bring their own.
    """

    patience: float = 40.0
    longest: float = 60.0
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time

    def call(self, work: Callable[[], T]) -> T:
        """Return what ``work`` returns; it is repeated, so it must be safe to repeat.

        Something that creates is safe when it looks first whether it was created: see ``ensure``.

        Raises:
            IkomaError: ``github.refused``, ``github.unreachable`` or ``github.limited``.
        """
        try:
            return self._attempts()(work)
        except Exception as fault:
            if not _foreign(fault):
                raise
            raise told(fault, self.now()) from fault

    def _attempts(self) -> Retrying:
        from tenacity import Retrying

        began = self.clock()

        def advised(state: RetryCallState) -> float | None:
            return advice(_fault(state), state.attempt_number, self.now())

        def over(state: RetryCallState) -> bool:
            pause, spent = advised(state) or 0.0, self.clock() - began
            # A limit may ask for more than our patience, once; failures may not.
            return pause > self.longest or spent > self.patience or state.attempt_number >= _ATTEMPTS

        return Retrying(
            retry=lambda state: state.outcome is not None and state.outcome.failed and advised(state) is not None,
            stop=over, wait=lambda state: advised(state) or 0.0, sleep=self.sleep, reraise=True,
        )  # fmt: skip

    def ensure(self, find: Callable[[], T | None], create: Callable[[], T]) -> T:
        """Return what ``find`` finds, else what ``create`` creates.

        After an attempt that failed it is looked for again: the answer may be lost though the thing was made.
        """

        def work() -> T:
            found = find()
            return create() if found is None else found

        return self.call(work)


def _fault(state: RetryCallState) -> BaseException:
    fault = state.outcome.exception() if state.outcome else None
    return fault or RuntimeError()


def told(fault: Exception, now: float) -> IkomaError:
    """Return the fault as one of ours: short, and without what PyGithub prints of the answer."""
    wait = advice(fault, 1, now)
    status = getattr(fault, "status", None)
    if wait is not None and status in (403, 429):
        return IkomaError("github.limited", seconds=round(wait))
    if status is None:
        return IkomaError("github.unreachable", reason=f"{type(fault).__name__}: {fault}"[:300])
    data = getattr(fault, "data", None)
    said = data.get("message") if isinstance(data, dict) else None
    return IkomaError("github.refused", status=status, reason=str(said or "")[:300])


def denied(fault: BaseException) -> bool:
    """Say whether asking again is of no use: the token may not, or GitHub will never take this."""
    return isinstance(fault, IkomaError) and fault.id == "github.refused" and fault.params["status"] not in (
        500, 502, 503, 504,
    )  # fmt: skip
