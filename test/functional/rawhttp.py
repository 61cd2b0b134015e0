"""HTTP requests as bytes, for tests of the server that no client library would send."""
import base64
import socket

from framework import SLOW


def raw(node, data, half_close=True):
    """Bytes as they are. Returns: all that comes back until the node hangs up."""
    with socket.create_connection(("127.0.0.1", node.rpc_port), timeout=30 * SLOW) as s:
        try:
            s.sendall(data)
            if half_close:
                s.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        got = b""
        try:
            while True:
                more = s.recv(65536)
                if not more:
                    return got
                got += more
        except OSError:
            return got


def status_of(answer):
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.") else None


def request(node, body, method="POST", path="/", headers=(), length=None, token=None, end="\r\n"):
    token = base64.b64encode((token or node.credentials()).encode()).decode()
    body = body if isinstance(body, bytes) else body.encode()
    lines = ["%s %s HTTP/1.1" % (method, path), "Host: x", "Connection: close", "Authorization: Basic " + token,
             "Content-Length: %d" % (len(body) if length is None else length), *headers, "", ""]
    return end.join(lines).encode() + body


def memory(node):
    with open("/proc/%d/status" % node.process.pid) as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS:"))
