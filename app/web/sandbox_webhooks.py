"""Where the sandbox's HighLevel calls: a door of its own, for its signatures are good for its location only.

The key of the path and the key that signs are made when the simulator starts, and are known to this process alone.
(The sandbox's Invoice Ninja calls where any other does: there each connection has its secrets.)
"""

import hmac
from dataclasses import dataclass, replace

from fastapi import FastAPI, Request, Response

from app.directory import Directory
from app.errors import BadSignature
from app.inbox import Inbox
from app.providers.base import APP, Verdict
from app.providers.highlevel import webhook as highlevel
from app.providers.sandboxed import is_sandbox
from app.trying.host import Host
from app.web.webhooks import Bare, Delivery, answer, body_of


@dataclass(frozen=True, slots=True)
class SandboxDoor:
    inbox: Inbox
    directory: Directory
    host: Host

    async def receive(self, request: Request, key: str, event: str) -> Response:
        async def read() -> Delivery:
            stage = self.host.stage
            if stage is None or not hmac.compare_digest(key.encode(), stage.key.encode()):
                raise BadSignature("the path is not one of the sandbox's")
            raw = await body_of(request, self.host.settings.body_limit)
            highlevel.verify(raw, request.headers, [highlevel.load_ed25519(stage.public_key)])
            said = highlevel.read(raw, event=event)
            if said.object == APP:  # an installation there is none of ours
                said = replace(said, verdict=Verdict.IGNORED, object="", external_id="", reason="of the sandbox")
            known = await self.directory.connections_of("highlevel", said.account)
            return said, [each for each in known if is_sandbox(each.base_url)]

        return await answer(self.inbox, "highlevel", read)


def install(app: FastAPI, inbox: Inbox, directory: Directory, host: Host) -> None:
    door = SandboxDoor(inbox, directory, host)
    app.router.add_api_route(
        "/webhooks/sandbox/{key}/{event}",
        door.receive,
        methods=["POST"],
        status_code=202,
        include_in_schema=False,
        route_class_override=Bare,
    )
