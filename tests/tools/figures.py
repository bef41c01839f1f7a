"""What a process takes and how an endpoint answers: a client, figures from /proc, spreads, tables."""

import math
import os
import re
import socket
import statistics
import subprocess
import sys
import threading
import time

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
# What the image and the systemd unit tell the allocator.
ALLOCATOR = {"MALLOC_ARENA_MAX": "2", "MALLOC_MMAP_THRESHOLD_": "65536"}
TEXT, OPEN_METRICS = "text/plain;version=0.0.4", "application/openmetrics-text;version=1.0.0"
FORMS = {
    "text": (TEXT, "identity"),
    "text, gzip": (TEXT, "gzip"),
    "OpenMetrics, gzip": (OPEN_METRICS, "gzip"),
    "text, zstd": (TEXT, "zstd"),
}


class Memory(threading.local):
    """Where the answers of a thread are read into: what is only received takes less than what is kept."""

    def __init__(self):
        self.buffer = memoryview(bytearray(64 << 20))


MEMORY = Memory()


class Program:
    """One that serves on a port of its own. It is waited for until it answers with `status`."""

    running = []

    def __init__(self, arguments, port, path="/metrics", status=200, form="text", **environment):
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.address = ("127.0.0.1", port)
        scraper = Scraper(self.address, form, path)
        began = time.perf_counter()
        self.process = subprocess.Popen(list(map(str, arguments)), env=environment, **quiet)
        Program.running.append(self)
        while True:
            try:
                scraper.once()
                if scraper.status == status:
                    break
            except OSError:
                scraper.close()
            if self.process.poll() is not None:
                sys.exit(f"{arguments[0]} ended with code {self.process.returncode}")
            time.sleep(0.0005)
        self.start_ms = 1000 * (time.perf_counter() - began)
        scraper.close()

    def cpu_s(self):
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_S

    def memory_mib(self):
        """What is resident now, and the most that was."""
        with open(f"/proc/{self.process.pid}/status") as status:
            sizes = dict(line.split(":", 1) for line in status)
        return [int(sizes[key].split()[0]) / 1024 for key in ("VmRSS", "VmHWM")]

    def end(self, kill=False):
        (self.process.kill if kill else self.process.terminate)()
        self.process.wait()
        Program.running.remove(self)


def end_all():
    for program in list(Program.running):
        program.end(kill=True)


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Scraper:
    """One client on one connection: a bare socket, so that it takes little itself."""

    def __init__(self, address, form, path="/metrics"):
        accept, self.coding = FORMS[form]
        self.address, self.connection, self.is_open_metrics = address, None, accept == OPEN_METRICS
        self.path = path
        self.head_lines = (
            f" HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\nAccept-Encoding: {self.coding}\r\n\r\n"
        )

    def once(self, path=None):
        """Milliseconds to the last byte; with the connect, if the server closed the connection."""
        request, buffer = f"GET {path or self.path}{self.head_lines}".encode(), MEMORY.buffer
        began = time.perf_counter()
        if self.connection is None:
            self.connection = socket.create_connection(self.address, timeout=120)
        self.connection.sendall(request)
        n_bytes, self.head, end = 0, b"", math.inf
        while n_bytes < end:
            if n_bytes == len(buffer):
                sys.exit("an answer is longer than there is room for in figures.py")
            n_more = self.connection.recv_into(buffer[n_bytes:])
            n_bytes += n_more
            if not self.head and (place := bytes(buffer[: min(n_bytes, 4096)]).find(b"\r\n\r\n")) > 0:
                self.head, self.body_at = bytes(buffer[:place]).lower(), place + 4
                if length := re.search(rb"content-length: *(\d+)", self.head):
                    end = self.body_at + int(length[1])
            if n_more == 0:
                break
            if b"chunked" in self.head and buffer[n_bytes - 5 : n_bytes] == b"0\r\n\r\n":
                break
        took_ms = 1000 * (time.perf_counter() - began)
        self.n_bytes, self.buffer = n_bytes, buffer
        if n_more == 0 or self.head.startswith(b"http/1.0") or b"connection: close" in self.head:
            self.close()
        if not self.head or math.isfinite(end) and n_bytes < end:
            raise ConnectionError("closed within an answer")
        return took_ms

    @property
    def status(self):
        return int(self.head.split(b" ", 2)[1])

    def is_as_asked(self):
        coding = re.search(rb"content-encoding: *(\w+)", self.head)
        got = coding[1].decode() if coding else "identity"
        return got == self.coding and self.is_open_metrics == (b"openmetrics" in self.head)

    def body(self):
        return bytes(self.buffer[self.body_at : self.n_bytes])

    def close(self):
        if self.connection:
            self.connection.close()
            self.connection = None


def text_of(program):
    scraper = Scraper(program.address, "text")
    scraper.once()
    scraper.close()
    return scraper.body()


def total(program, metric):
    """The sum of all series of a counter; 0 while it is absent."""
    pattern = rb"^%s(?:\{.*\})? (\S+)$" % metric.encode()
    return sum(map(float, re.findall(pattern, text_of(program), re.MULTILINE)))


def run_wrk(folder, program, form, seconds):
    """Scrapes a second of eight connections."""
    accept, coding = FORMS[form]
    url = "http://{}:{}/metrics".format(*program.address)
    headers = ["-H", f"Accept: {accept}", "-H", f"Accept-Encoding: {coding}"]
    libraries = ":".join(map(str, folder.glob("usr/lib/*-linux-gnu*")))
    said = subprocess.run(
        [folder / "usr/bin/wrk", "-t1", "-c8", f"-d{seconds}s", "--timeout=120s", *headers, url],
        env={"LD_LIBRARY_PATH": libraries}, capture_output=True, text=True, check=True,
    ).stdout
    if "Non-2xx" in said or re.search(r"Socket errors:.* [1-9]", said):
        sys.exit(f"wrk of {url}: {said}")
    return float(re.search(r"Requests/sec: *(\S+)", said)[1])


class Others:
    """How many cores programs that are not ours use meanwhile, step by step."""

    def __init__(self):
        self.cores = []
        self.begin()

    @staticmethod
    def now():
        with open("/proc/stat") as stat:
            user, nice, system, _idle, _wait, *rest = map(int, stat.readline().split()[1:9])
        ours = sum(os.times()[:4]) + sum(program.cpu_s() for program in Program.running)
        return (user + nice + system + sum(rest)) / TICKS_PER_S - ours, time.perf_counter()

    def begin(self):
        self.last = self.now()

    def step(self):
        (used, at), (used_before, began) = self.now(), self.last
        self.cores.append(max(0.0, used - used_before) / (at - began))
        self.begin()

    def told(self):
        return f"Other programs used {spread(self.cores)} of {os.cpu_count()} cores during the steps."


def percentile(values, share):
    return sorted(values)[math.ceil(share * len(values)) - 1]


def number(value):
    digits = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 3
    return f"{value:,.{digits}f}"


def spread(values):
    """The median, and the smallest and the largest in brackets."""
    if not values:
        return "–"
    least, most = map(number, (min(values), max(values)))
    return number(statistics.median(values)) + (f" ({least} to {most})" if least != most else "")


def print_table(heads, rows, others=None):
    print("\n| " + " | ".join(heads) + " |\n" + "|---" * len(heads) + "|")
    for row in rows:
        print("| " + " | ".join(map(str, row)) + " |")
    if others:
        print(f"\n{others.told()}", flush=True)
