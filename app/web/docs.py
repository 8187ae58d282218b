"""The API's description to read and try, at /docs. All of it comes from this server: it works without the internet."""

import re
from base64 import b64encode
from hashlib import sha256
from importlib.resources import files

from fastapi import FastAPI, Response
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import HTMLResponse, JSONResponse
from starlette.staticfiles import StaticFiles

from app.web.protection import ASSETS, POLICY

DESCRIPTION = "/openapi.json"


def install(app: FastAPI) -> None:
    """Swagger UI, from an installed package."""
    app.mount(ASSETS, StaticFiles(directory=str(files("fastapi_offline") / "static")))
    page = bytes(
        get_swagger_ui_html(
            openapi_url=DESCRIPTION,
            title=app.title,
            swagger_js_url=f"{ASSETS}/swagger-ui-bundle.js",
            swagger_css_url=f"{ASSETS}/swagger-ui.css",
            swagger_favicon_url=f"{ASSETS}/favicon.png",
            swagger_ui_parameters={"validatorUrl": None},
        ).body
    )
    policy = f"{POLICY}; script-src 'self' {_hashes(page)}; style-src 'self' 'unsafe-inline'; img-src 'self' data:"

    @app.get(DESCRIPTION, include_in_schema=False)
    def description() -> Response:
        """Made when it is asked for first. That takes a second, which in a thread keeps no webhook waiting."""
        return JSONResponse(app.openapi())

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return HTMLResponse(page, headers={"Content-Security-Policy": policy})


def _hashes(page: bytes) -> str:
    """The scripts inside the page that may run: just these."""
    inside = re.findall(rb"<script>(.*?)</script>", page, re.DOTALL)
    return " ".join(f"'sha256-{b64encode(sha256(script).digest()).decode()}'" for script in inside)
