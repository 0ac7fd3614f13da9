"""Files of a folder over HTTPS, and below /git/ bare repositories by git's own http-backend:
serve_https.py FOLDER CERTIFICATE KEY

With a file FOLDER/login, USER:PASSWORD, the repositories are for that user, who may push.

Prints the port, and ends when its standard input does: it never outlives the test."""

import base64
import functools
import http.server
import os
import ssl
import subprocess
import sys
import threading

folder, certificate, key = sys.argv[1:]


class Handler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        self.git() if self.path.startswith("/git/") else super().do_GET()

    def do_POST(self):
        self.git()

    def user(self):
        """Who asks, or None if it is not the one who may."""
        login = os.path.join(folder, "login")
        if not os.path.exists(login):
            return ""
        with open(login, "rb") as file:
            wanted = file.read().strip()
        scheme, _, given = self.headers.get("Authorization", "").partition(" ")
        if scheme != "Basic" or base64.b64decode(given) != wanted:
            return None
        return wanted.decode().split(":")[0]

    def git(self):
        user = self.user()
        if user is None:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        path, _, query = self.path.partition("?")
        length = int(self.headers.get("Content-Length", 0))
        variables = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": folder,
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(length),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "REMOTE_ADDR": "127.0.0.1",
        }
        if user:
            variables["REMOTE_USER"] = user
        answer = subprocess.run(
            ["git", "http-backend"], input=self.rfile.read(length), env=variables, stdout=subprocess.PIPE, check=True
        ).stdout
        head, _, body = answer.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for header in headers.items():
            self.send_header(*header)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(certificate, key)
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=folder))
server.socket = context.wrap_socket(server.socket, server_side=True)
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
print(server.server_port, flush=True)
server.serve_forever()
