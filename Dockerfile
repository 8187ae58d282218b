FROM python:3.12-slim AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md ./
COPY app app
COPY alembic alembic
RUN pip wheel --no-cache-dir --no-deps --wheel-dir /wheels . \
 && python -m venv /crossledger \
 && /crossledger/bin/pip install --no-cache-dir -c constraints.txt /wheels/*.whl

FROM python:3.12-slim
RUN useradd --uid 10001 --user-group --home-dir /data --create-home --shell /usr/sbin/nologin crossledger
COPY --from=build /crossledger /crossledger
ENV PATH=/crossledger/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    CROSSLEDGER_HOST=0.0.0.0 \
    CROSSLEDGER_PORT=8000 \
    CROSSLEDGER_DATA_DIR=/data
USER 10001:10001
WORKDIR /data
# Used only where no CROSSLEDGER_DATABASE_URL is given: the bundled PostgreSQL lives here.
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=4 \
  CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f\"http://127.0.0.1:{os.environ['CROSSLEDGER_PORT']}/healthz\", timeout=4)"]
ENTRYPOINT ["crossledger"]
CMD ["serve"]
