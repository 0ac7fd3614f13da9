"""moto's S3 on a free port of this host, over TLS where a certificate and its key are given.

Prints the port, and ends when its standard input does: it never outlives the test."""

import os
import sys
import threading

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

application = DomainDispatcherApplication(create_backend_app)
one_at_a_time = threading.Lock()


def serve(environ, start_response):
    # A bucket decides on conditional writes one after the other. moto looks and writes in two
    # steps, so that it must not be asked twice at once.
    with one_at_a_time:
        return application(environ, start_response)


class Quiet(WSGIRequestHandler):
    def log(self, *_):
        pass


server = make_server(
    "127.0.0.1",
    0,
    serve,
    threaded=True,
    request_handler=Quiet,
    ssl_context=tuple(sys.argv[1:3]) if len(sys.argv) > 2 else None,
)
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
print(server.server_port, flush=True)
server.serve_forever()
