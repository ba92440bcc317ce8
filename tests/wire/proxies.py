# SPDX-License-Identifier: Apache-2.0
"""Proxies that we did not write, configured as docs/proxies.md says, for the time of a test."""
import os
import re
import shutil
import socket
import subprocess
import tempfile

from squall_wire import free_port, wait_for

PAGE = os.path.join(os.path.dirname(__file__), "..", "..", "docs", "proxies.md")


def find(program):
    """The path of a program, also of one that only root has in its PATH; None when it is missing."""
    return shutil.which(program, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")


def accepts(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


def from_page(language, title):
    """The block of docs/proxies.md whose first line is the comment `# title`."""
    with open(PAGE, encoding="utf-8") as file:
        blocks = re.findall(rf"^```{language}\n(.*?)^```", file.read(), re.M | re.S)
    for block in blocks:
        if block.startswith(f"# {title}\n"):
            return block
    raise AssertionError(f"{PAGE} has no block '{title}'")


class Proxy:
    """A proxy process that listens on `port`; a context manager."""

    def __init__(self, *command, port):
        self.port = port
        self.directory = tempfile.TemporaryDirectory()
        self.command = command
        self.process = None

    def write(self, name, text):
        path = os.path.join(self.directory.name, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def __enter__(self):
        self.log = tempfile.TemporaryFile()
        self.process = subprocess.Popen(self.command, stdout=self.log, stderr=self.log,
                                        stdin=subprocess.DEVNULL)
        try:
            wait_for(lambda: self.process.poll() is not None or accepts(self.port), "the proxy")
            if self.process.poll() is not None:
                self.log.seek(0)
                raise AssertionError(self.log.read().decode(errors="replace"))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(20)
        self.log.close()
        self.directory.cleanup()


def haproxy(block, **ports):
    """HAProxy with a block of the page, in which the ports of `ports` are put for those there."""
    proxy = Proxy(port=free_port())
    text = block.replace(":80\n", f":{proxy.port}\n")
    for old, new in ports.items():
        text = text.replace(old.replace("port_", ":"), f":{new}")
    if "timeout" not in text:
        text = "defaults\n  timeout connect 5s\n  timeout client 30s\n  timeout server 30s\n" + text
    proxy.command = (find("haproxy"), "-db", "-f", proxy.write("haproxy.cfg", text))
    return proxy


def nginx(block, backend):
    proxy = Proxy(port=free_port())
    block = block.replace("listen 80;", f"listen 127.0.0.1:{proxy.port};")
    block = block.replace("127.0.0.1:8888", f"127.0.0.1:{backend}")
    path = proxy.directory.name
    proxy.command = (find("nginx"), "-p", path, "-c", proxy.write("nginx.conf", f"""
daemon off;
pid {path}/pid;
error_log stderr;
events {{}}
http {{
  access_log off;
  client_body_temp_path {path}/a; proxy_temp_path {path}/b; fastcgi_temp_path {path}/c;
  uwsgi_temp_path {path}/d; scgi_temp_path {path}/e;
{block}
}}
"""))
    return proxy
