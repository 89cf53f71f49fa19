# One image for web, worker, beat and commands; it holds no secret and needs no writable disk.

FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PATH=/venv/bin:$PATH
RUN python -m venv /venv
COPY requirements/base.txt /tmp/base.txt
RUN pip install --require-hashes --requirement /tmp/base.txt
WORKDIR /app
COPY . .
# The settings refuse to start without these; nothing is contacted or kept while files are collected.
RUN env ALLOWED_HOSTS=build SITE_URL=https://build SECRET_KEY=build BALINT_KEY_FILE=/none \
    DATABASE_OWNER_URL=postgresql://build/build REDIS_URL=redis://build \
    EMAIL_URL=smtp://build DEFAULT_FROM_EMAIL=build@build.invalid STATIC_ROOT=/app/static-collected \
    python manage.py collectstatic --no-input --verbosity 0

FROM python:3.13-slim
RUN useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin balint \
    && install --directory --owner balint --group balint --mode 0700 /keys
ENV PATH=/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    STATIC_ROOT=/app/static-collected BALINT_VAR=/tmp/balint BALINT_KEY_FILE=/keys/keys.json
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
USER balint
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD ["python", "docker/healthcheck.py"]
CMD ["python", "-m", "balint.serve", "--host", "0.0.0.0", "--port", "8000", "--workers", "2"]
