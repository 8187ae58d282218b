"""Duplicates: records of one side that may be one thing. Found by a search, decided by people, never by itself."""

from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import Field, SecretStr, computed_field
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.api.body import Bounded
from app.api.desk import AtDesk, Desk
from app.api.fields import HeaderPassword, Id, Moment, Word
from app.api.guard import Caller
from app.api.problems import problems
from app.api.reading import Paging, equal, one, page
from app.api.requests import In
from app.api.runs import RunOut
from app.api.schemas import Out, Page
from app.duplicates.clusters import Clusters, ClusterView
from app.duplicates.decisions import decide
from app.duplicates.keys import IN_WORDS, Trait
from app.duplicates.merging import Decision, Merging
from app.duplicates.search import TOO_COMMON, begin
from app.models import Bridge, CommonKey, DuplicateCluster, Run
from app.models.duplicate import ClusterState
from app.models.run import RunKind
from app.providers.base import Support
from app.redaction import keep_secret_here
from app.sync.records import Side
from app.web.access import remark

router = APIRouter(tags=["duplicates"], route_class=Bounded)


class SearchIn(In):
    side: Side | None = Field(None, description="Left out: both")
    common_above: Annotated[int, Field(ge=2, le=1000)] = Field(
        TOO_COMMON, description="What more records than this share (an office's phone) joins none of them"
    )


class MergeIn(In):
    """Which one survives, and which become a part of it and are gone for good."""

    survivor: Word
    others: Annotated[list[Word], Field(min_length=1, max_length=10)]
    version: Word = Field(description="As it was shown: what changed since is shown anew, and nothing is merged")
    password: HeaderPassword = Field(
        SecretStr(""),
        description="Invoice Ninja: of the API token's user. It goes along with this one merge, and is kept nowhere",
    )


class KeyOut(Out):
    kind: Trait
    key: str = Field(description="In its normal form")
    ids: list[str] = Field(description="The vendor's ids of those that share it")

    @computed_field(description="For people")  # type: ignore[prop-decorator]
    @property
    def words(self) -> str:
        return f"{IN_WORDS[self.kind]}: {self.key}"


class MoneyOut(Out):
    """As it was when the search read it."""

    balance: str
    paid_to_date: str
    currency: str


class MemberOut(Out):
    id: str = Field(description="The vendor's id")
    name: str
    company: str
    email: str
    phone: str
    city: str
    filled: int = Field(description="How many of its fields are filled in")
    money: MoneyOut | None
    created_at: Moment | None
    updated_at: Moment | None


class PartnerOut(Out):
    link_id: int
    object: str
    id: str = Field(description="The partner's id on the other side")
    state: str


class MemberDetail(MemberOut):
    invoices: int | None = Field(description="Of it, or of its client; null where they were not counted")
    partners: list[PartnerOut]


class ClusterOut(Out):
    """Records of one side that may be one thing."""

    id: int
    bridge_id: int
    side: Side
    state: ClusterState
    keys: list[KeyOut] = Field(description="What they share")
    members: list[MemberOut]
    actor: str = Field(description="Who has decided")
    created_at: Moment
    decided_at: Moment | None


class ProposalOut(Out):
    survivor: str
    reason: str


class ClusterDetail(ClusterOut):
    members: list[MemberDetail]  # type: ignore[assignment]
    proposal: ProposalOut | None = Field(description="Which should survive, and why; null where nothing is to decide")
    warnings: list[str]
    merges: bool = Field(description="Whether POST .../merge can do it; if not, `how` says what to do at the vendor")
    how: str
    version: str = Field(description="Of what is shown: a merge names it")
    uncounted: str = Field(description="Why invoices were not counted; empty: they were")
    unfinished: bool = Field(description="It is not known yet whether the last merge was done: the next one finds out")


class CommonKeyOut(Out):
    id: int
    side: Side
    kind: Trait
    key: str
    records: int


class SearchOut(Out):
    """What came of the searches of a bridge."""

    run: RunOut | None = Field(description="The last one")
    open: dict[Side, int] = Field(description="Clusters that wait for a decision, by side")
    too_common: list[CommonKeyOut] = Field(description="Shared by too many to mean anything; the most common first")


_OPEN = text("SELECT side, count(*) FROM duplicate_clusters WHERE bridge_id = :id AND state = 'open' GROUP BY side")
_NAMED = 200


@router.post(
    "/bridges/{bridge_id}/duplicates",
    status_code=202,
    summary="Search for duplicates",
    responses=problems(400, 404, 413),
)
async def search(desk: AtDesk, who: Caller, bridge_id: Id, wanted: SearchIn) -> RunOut:
    """Reads one side or both, whole, and changes nothing there. The result takes the place of the one before;
    decisions stay.
    """
    run_id = await begin(desk.runs, bridge_id, wanted.side, wanted.common_above, who.name)
    return RunOut.model_validate(await one(desk.engine, Run, run_id))


@router.get("/bridges/{bridge_id}/duplicates", summary="Show what came of the searches", responses=problems(404))
async def show_search(desk: AtDesk, bridge_id: Id) -> SearchOut:
    """With the keys that too many records share."""
    await one(desk.engine, Bridge, bridge_id)
    last = select(Run).where(col(Run.bridge_id) == bridge_id, col(Run.kind) == RunKind.DUPLICATES.value)
    common = select(CommonKey).where(col(CommonKey.bridge_id) == bridge_id)
    async with AsyncSession(desk.engine) as session:
        run = (await session.scalars(last.order_by(col(Run.id).desc()).limit(1))).first()
        counted = {side: int(count) for side, count in await session.execute(_OPEN, {"id": bridge_id})}
        order = (col(CommonKey.records).desc(), col(CommonKey.id))
        keys = (await session.scalars(common.order_by(*order).limit(_NAMED))).all()
    return SearchOut(
        run=RunOut.model_validate(run) if run else None,
        open={side: counted.get(side.value, 0) for side in Side},
        too_common=[CommonKeyOut.model_validate(each) for each in keys],
    )


@router.get("/duplicates", summary="List duplicates")
async def list_duplicates(
    desk: AtDesk,
    part: Paging,
    bridge_id: Id | None = None,
    side: Side | None = None,
    state: ClusterState | None = None,
) -> Page[ClusterOut]:
    """Newest first."""
    model = DuplicateCluster
    only = equal((col(model.bridge_id), bridge_id), (col(model.side), side), (col(model.state), state))
    return await page(desk.engine, model, ClusterOut, part, *only)


@router.get("/duplicates/{cluster_id}", summary="Show duplicates", responses=problems(404))
async def show_duplicates(desk: AtDesk, cluster_id: Id) -> ClusterDetail:
    """With their partners, the invoices at stake, and which one should survive. Their invoices are counted now."""
    return _detail(await Clusters(desk.connections).show(cluster_id))


@router.post("/duplicates/{cluster_id}/dismiss", summary="These are not duplicates", responses=problems(404, 409))
async def dismiss(desk: AtDesk, who: Caller, cluster_id: Id) -> ClusterDetail:
    """No search asks for these records again, nor for some of them; with another record among them, it does."""
    return await _decide(desk, cluster_id, dismissed=True, actor=who.name)


@router.post(
    "/duplicates/{cluster_id}/reopen", summary="These may be duplicates after all", responses=problems(404, 409)
)
async def reopen(desk: AtDesk, who: Caller, cluster_id: Id) -> ClusterDetail:
    """Takes a dismissal back."""
    return await _decide(desk, cluster_id, dismissed=False, actor=who.name)


@router.post("/duplicates/{cluster_id}/merge", summary="Merge duplicates", responses=problems(400, 404, 409, 413, 503))
async def merge(desk: AtDesk, who: Caller, request: Request, cluster_id: Id, wanted: MergeIn) -> ClusterDetail:
    """Through the vendor's own merge, where it has one. There is no way back."""
    remark(request, f"{', '.join(wanted.others)} into {wanted.survivor}")
    password = wanted.password.get_secret_value()
    keep_secret_here(password)
    decision = Decision(survivor=wanted.survivor, others=tuple(wanted.others), version=wanted.version, actor=who.name)
    await Merging(desk.connections).merge(cluster_id, decision, password)
    return _detail(await Clusters(desk.connections).show(cluster_id))


async def _decide(desk: Desk, cluster_id: int, *, dismissed: bool, actor: str) -> ClusterDetail:
    await decide(desk.connections, cluster_id, dismissed=dismissed, actor=actor)
    return _detail(await Clusters(desk.connections).show(cluster_id))


def _detail(view: ClusterView) -> ClusterDetail:
    stored = ClusterOut.model_validate(view.row)
    given: dict[str, Any] = {name: getattr(stored, name) for name in ClusterOut.model_fields if name != "members"}
    return ClusterDetail(
        **given,
        members=[MemberDetail.model_validate(each) for each in view.members],
        proposal=ProposalOut.model_validate(view.proposal) if view.proposal else None,
        warnings=list(view.warnings),
        merges=view.capability.support is not Support.NONE,
        how=view.capability.reason,
        version=view.version,
        uncounted=view.uncounted,
        unfinished=view.row.merging is not None,
    )
