"""`crossledger serve` with one more endpoint: a POST that reads the body and does nothing else. To compare with."""

from fastapi import FastAPI, Request, Response

import app.main
from app.cli import main
from app.main import Lifespan, Service, web_app
from tests.bench.load import EMPTY


def with_empty_endpoint(service: Service, lifespan: Lifespan | None) -> FastAPI:
    application = web_app(service, lifespan)

    @application.post(EMPTY)
    async def empty(request: Request) -> Response:
        await request.body()
        return Response(b'{"status":"accepted"}', 202, media_type="application/json")

    application.router.routes.insert(0, application.router.routes.pop())
    return application


if __name__ == "__main__":
    app.main.web_app = with_empty_endpoint
    main()
