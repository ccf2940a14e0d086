"""The server inside the generated image of a static site."""

from __future__ import annotations

CONFIGURATION_PATH = ".quarterdeck/nginx.conf"
SERVER_IMAGE = "nginx:1.27-alpine"
DOCUMENT_ROOT = "/usr/share/nginx/html"

_TEMPLATE = """\
worker_processes auto;
pid /tmp/nginx.pid;
error_log stderr warn;

events {{
    worker_connections 1024;
}}

http {{
    include /etc/nginx/mime.types;
    default_type application/octet-stream;
    access_log /dev/stdout;
    client_body_temp_path /tmp/client_body;
    proxy_temp_path /tmp/proxy;
    fastcgi_temp_path /tmp/fastcgi;
    uwsgi_temp_path /tmp/uwsgi;
    scgi_temp_path /tmp/scgi;
    sendfile on;
    server_tokens off;
    gzip on;
    gzip_types text/css text/plain application/javascript application/json image/svg+xml;

    server {{
        listen {port};
        root {root};
        index index.html;
        absolute_redirect off;

        location ~ /\\.(?!well-known/) {{
            return 404;
        }}

        location ~ \\.[^/.]+$ {{
            try_files $uri =404;
        }}

        location / {{
            try_files $uri $uri.html $uri/index.html /index.html =404;
        }}
    }}
}}
"""


def server_configuration(port: int) -> str:
    """Serve files; paths without an extension fall back to the index, missing assets are 404, dot files are hidden."""
    return _TEMPLATE.format(port=port, root=DOCUMENT_ROOT)
