# The staff's console: docker build --file deploy/staff.Dockerfile --tag leeward-staff .
# The image holds the published language, the chassis and the front-ends, and no service.

FROM python:3.11-slim-bookworm AS packages
COPY web/console/requirements.txt /requirements.txt
RUN python -m venv /opt/leeward \
    && /opt/leeward/bin/python -m pip install --no-cache-dir --require-hashes --requirement /requirements.txt

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /nonexistent --shell /usr/sbin/nologin leeward
COPY --from=packages /opt/leeward /opt/leeward
COPY contracts /app/contracts
COPY chassis /app/chassis
COPY web /app/web
ENV PATH=/opt/leeward/bin:$PATH PYTHONPATH=/app PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
WORKDIR /app
USER 10001
STOPSIGNAL SIGTERM
CMD ["python", "-m", "web.console"]
