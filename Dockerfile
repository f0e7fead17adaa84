# The service in one image: `docker build -t datareplicator .`, `docker run -p 8000:8000 -v data:/data datareplicator`.

FROM node:22-slim AS interface
WORKDIR /build/ui
COPY ui/package.json ui/package-lock.json ui/.npmrc ./
RUN npm ci --silent
COPY ui/ ./
RUN npm run --silent build

FROM python:3.13-slim AS package
WORKDIR /build
COPY requirements/server.txt requirements/
RUN python -m venv /opt/datareplicator \
    && /opt/datareplicator/bin/pip install --no-cache-dir --require-hashes --requirement requirements/server.txt
COPY pyproject.toml README.md LICENSE CHANGELOG.md ./
COPY src/ src/
COPY --from=interface /build/src/datareplicator/server/ui/ src/datareplicator/server/ui/
RUN /opt/datareplicator/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin datareplicator \
    && install --directory --owner datareplicator --mode 0700 /data
COPY --from=package /opt/datareplicator /opt/datareplicator
ENV PATH=/opt/datareplicator/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    OMP_NUM_THREADS=1 \
    DATAREPLICATOR_DATA_DIR=/data \
    DATAREPLICATOR_HOST=0.0.0.0
# By its number: who runs the image can see then that it is not root.
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["datareplicator", "serve"]
