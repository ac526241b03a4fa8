"""An OpenID provider on loopback that can be found and lets nobody in, so that the routes of a provider have one to speak of."""

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

NAME = "OpenID"
# The example of RFC 7517, appendix A.1: nobody signs with it here.
KEY = {
    "kty": "EC",
    "crv": "P-256",
    "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
    "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
    "use": "sig",
    "kid": "1",
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        origin = f"http://127.0.0.1:{self.server.server_address[1]}"
        documents = {
            "/.well-known/openid-configuration": {
                "issuer": origin,
                "authorization_endpoint": f"{origin}/authorize",
                "token_endpoint": f"{origin}/token",
                "jwks_uri": f"{origin}/keys",
                "id_token_signing_alg_values_supported": ["ES256"],
            },
            "/keys": {"keys": [KEY]},
        }
        self.answer(200 if self.path in documents else 404, documents.get(self.path, {}))

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.answer(400, {"error": "invalid_grant"})

    def answer(self, status: int, document: dict) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextlib.contextmanager
def serving() -> Iterator[dict]:
    """Serves for the length of the block; the value is the section of the configuration."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield {
                "enabled": True,
                "name": NAME,
                "client_id": "mediamanager",
                "client_secret": "a secret of the client",
                "configuration_endpoint": f"http://127.0.0.1:{server.server_address[1]}/.well-known/openid-configuration",
            }
        finally:
            server.shutdown()
