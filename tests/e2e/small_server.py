"""An application that needs nothing but Python: says its version and what its variable CODE holds."""

SERVER = """
import http.server, os

VERSION = "1"


class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"drill {VERSION} {os.environ.get('CODE')}".encode())


http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Answer).serve_forever()
"""
FILES = {"server.py": SERVER, "requirements.txt": ""}
RUNTIME = {"strategy": "workspace-commands", "startCommand": "python3 server.py"}
