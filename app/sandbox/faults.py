"""What can be made to go wrong in a simulator: rules only, no I/O.

`control.py` applies the API faults, `deliveries.py` the webhook ones.
"""

import random
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Generic, Literal, Self, TypeVar, get_args

FaultKind = Literal["latency", "status", "drop", "drop_after", "created_anyway"]
WebhookFaultKind = Literal["lose", "duplicate", "reorder", "delay"]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One rule for API requests.

    drop: the connection is closed before the request is handled.
    drop_after: the request is handled (the write happens), then the connection is closed without an answer.
    created_anyway: the request is handled (the write happens), but answered with `status` and an error body.
    `token`: it hits only requests with a token of this label. `lasts`: seconds after which it is over by itself.
    """

    kind: FaultKind
    method: str = "*"
    path: str = ""
    token: str = ""
    times: int | None = None
    lasts: float | None = None
    seconds: float = 0
    status: int = 500
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Self:
        _refuse_unknown(cls, data, get_args(FaultKind))
        re.compile(data.get("path", ""))
        # Vendors that create and then answer an error do it as a validation error.
        usual = {"status": 422} if data["kind"] == "created_anyway" else {}
        return cls(**{**usual, **data})

    def hits(self, method: str, path: str, token: str) -> bool:
        asked = self.method in ("*", method) and self.token in ("", token)
        return asked and (not self.path or re.search(self.path, path) is not None)


@dataclass(kw_only=True)
class WebhookFault:
    """One rule for deliveries.

    `share` is the probability that a delivery is hit; `seconds` is the delay, or the longest hold of a reorder.
    `lasts`: seconds after which it is over by itself.
    """

    kind: WebhookFaultKind
    share: float = 1.0
    times: int | None = None
    lasts: float | None = None
    seconds: float = 0

    @classmethod
    def parse(cls, data: Mapping[str, Any]) -> Self:
        _refuse_unknown(cls, data, get_args(WebhookFaultKind))
        return cls(**data)


def _refuse_unknown(cls: type[Fault] | type[WebhookFault], data: Mapping[str, Any], kinds: tuple[str, ...]) -> None:
    known = {each.name for each in fields(cls)}
    if unknown := set(data) - known:
        raise ValueError(f"unknown fault field: {', '.join(sorted(unknown))}")
    if data.get("kind") not in kinds:
        raise ValueError(f"kind must be one of {', '.join(kinds)}")


F = TypeVar("F", Fault, WebhookFault)


@dataclass
class _Armed(Generic[F]):
    id: str
    fault: F
    left: int | None
    ends: float | None

    @classmethod
    def now(cls, id_: str, fault: F) -> Self:
        return cls(id_, fault, fault.times, None if fault.lasts is None else time.monotonic() + fault.lasts)

    @property
    def over(self) -> bool:
        return self.left == 0 or (self.ends is not None and self.ends <= time.monotonic())

    def use(self) -> F:
        if self.left is not None:
            self.left -= 1
        return self.fault

    def shown(self) -> dict[str, Any]:
        lasts = None if self.ends is None else self.ends - time.monotonic()
        return {"id": self.id, **asdict(self.fault), "times": self.left, "lasts": lasts}


class Faults:
    def __init__(self) -> None:
        self._armed: list[_Armed[Fault]] = []
        self._last = 0

    def add(self, fault: Fault) -> str:
        self._last += 1
        self._armed.append(_Armed.now(f"fault-{self._last}", fault))
        return self._armed[-1].id

    def clear(self) -> None:
        self._armed.clear()

    def list(self) -> list[dict[str, Any]]:
        return [each.shown() for each in self._armed if not each.over]

    def match(self, method: str, path: str, token: str = "") -> Sequence[Fault]:
        """The faults that hit this request: every latency, and the oldest of the others (it fails in one way).

        `token`: the label of the request's.
        """
        if not self._armed:
            return []
        hit: list[Fault] = []
        failed = False
        for each in self._armed:
            slow = each.fault.kind == "latency"
            if (slow or not failed) and not each.over and each.fault.hits(method, path, token):
                hit.append(each.use())
                failed = failed or not slow
        self._armed = [each for each in self._armed if not each.over]
        return hit


class WebhookFaults:
    def __init__(self, *, seed: int = 0) -> None:
        self._armed: list[_Armed[WebhookFault]] = []
        self._seed = seed
        self._random = random.Random(seed)  # noqa: S311 (repeatable on purpose)
        self._last = 0

    def add(self, fault: WebhookFault) -> str:
        self._last += 1
        self._armed.append(_Armed.now(f"webhook-fault-{self._last}", fault))
        return self._armed[-1].id

    def clear(self) -> None:
        self._armed.clear()
        self._random.seed(self._seed)

    def list(self) -> list[dict[str, Any]]:
        return [each.shown() for each in self._armed if not each.over]

    def match(self) -> Sequence[WebhookFault]:
        hit = [each.use() for each in self._armed if not each.over and self._random.random() < each.fault.share]
        self._armed = [each for each in self._armed if not each.over]
        return hit
