"""What clients that misbehave do to the exporter, and to the scrapes of one that does not.

usage: load.py BINARY [--apps N] [--seconds N] [CASE...]

Starts a simulated API and an exporter that reads it as N apps (160, which are 100,000 series).
While others misbehave, somebody scrapes once a second, over a new connection each time. Prints a row of a table for
each case: how its scrapes went, and what the exporter took. Ends with code 1 if a scrape failed, or
if the exporter still holds a connection of a client that is gone.
"""

import argparse
import gzip
import http.client
import multiprocessing
import os
import re
import resource
import selectors
import socket
import subprocess
import sys
import tempfile
import threading
import time

# As long as Prometheus waits, if it is not told otherwise.
SCRAPE_TIMEOUT_S = 10
# A state in the kernel's table of sockets.
LISTENS = "0A"
GZIP = {"Accept": "application/openmetrics-text;version=1.0.0", "Accept-Encoding": "gzip"}


def start(arguments, stream, mark):
    """A program, and what follows `mark` in what it says."""
    outputs = {stream: subprocess.PIPE, "stdin": subprocess.DEVNULL}
    program = subprocess.Popen(arguments, text=True, env={}, **outputs)
    said = getattr(program, stream)
    for line in said:
        if mark in line:
            threading.Thread(target=said.read, daemon=True).start()
            return program, re.split('[" ]', line.split(mark)[1].strip())[0]
    sys.exit(f"{arguments[1]} ended before it said `{mark}`")


class Exporter:
    """The exporter as its operator sees it."""

    def __init__(self, process, address):
        self.process, self.address = process, address

    def resident_mb(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            kilobytes = next(line for line in status if line.startswith("VmRSS:")).split()[1]
        return int(kilobytes) / 1024

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def connections(self):
        """Those of clients; what only the kernel still holds belongs to nobody."""
        with open(f"/proc/{self.process.pid}/net/tcp") as table:
            rows = [line.split() for line in table][1:]
        ours = [row for row in rows if int(row[1].split(":")[1], 16) == self.address[1]]
        return sum(row[3] != LISTENS and row[9] != "0" for row in ours)


class Scraper:
    """Scrapes as Prometheus does: over one connection, and again over a new one if that is gone."""

    def __init__(self, address):
        self.address, self.connection = address, None

    def once(self, path="/metrics", headers=GZIP):
        for is_last in (False, True):
            is_new = self.connection is None
            try:
                if is_new:
                    self.connection = http.client.HTTPConnection(
                        *self.address, timeout=SCRAPE_TIMEOUT_S
                    )
                self.connection.request("GET", path, headers=headers)
                answer = self.connection.getresponse()
                return answer.status, answer.read()
            except (OSError, http.client.HTTPException) as error:
                self.connection.close()
                self.connection = None
                if is_new or is_last:
                    return type(error).__name__, b""


class Watch:
    """A scrape a second, and what the exporter takes meanwhile."""

    def __init__(self, exporter):
        self.exporter = exporter
        self.seconds, self.failed, self.lag_s = [], [], 0.0
        self.resident_mb, self.descriptors = exporter.resident_mb(), exporter.descriptors()
        self.stopped = threading.Event()
        self.threads = [threading.Thread(target=it) for it in (self.scrape, self.sample)]
        for thread in self.threads:
            thread.start()

    def scrape(self):
        while True:
            began = time.monotonic()
            status, body = Scraper(self.exporter.address).once()
            self.seconds.append(time.monotonic() - began)
            if status == 200:
                text = gzip.decompress(body).decode()
                lags = re.findall(r"^cometchat_poll_lag_seconds\{.*\} (\S+)$", text, re.MULTILINE)
                self.lag_s = max(self.lag_s, *map(float, lags))
            else:
                self.failed.append(status)
            if self.stopped.wait(1):
                return

    def sample(self):
        while not self.stopped.wait(0.05):
            self.resident_mb = max(self.resident_mb, self.exporter.resident_mb())
            self.descriptors = max(self.descriptors, self.exporter.descriptors())

    def end(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join()
        self.seconds.sort()


def crowd(address, count, seconds, greet, step):
    """Keeps `count` connections open, each replaced when it is closed, for some seconds.

    `greet(socket)` begins one; once a second `step(socket, age)` goes on with it. Both may leave
    bytes unread. Returns how many were closed by the other side.
    """
    closed, ages, waiting = 0, {}, selectors.DefaultSelector()

    def replace(old=None):
        if old:
            waiting.unregister(old)
            del ages[old]
            old.close()
        new = socket.socket()
        # So small that not much of an answer is on its way.
        new.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        new.settimeout(SCRAPE_TIMEOUT_S)
        try:
            new.connect(address)
            greet(new)
        except OSError:
            pass
        new.setblocking(False)
        ages[new] = 0
        waiting.register(new, selectors.EVENT_READ)

    for _ in range(count):
        replace()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(1)
        for one in list(ages):
            ages[one] += 1
            try:
                is_open = step(one, ages[one])
            except BlockingIOError:
                is_open = True
            except OSError:
                is_open = False
            if not is_open:
                closed += 1
                replace(one)
    for one in ages:
        one.close()
    return closed


def idle(address, seconds):
    def step(one, _age):
        return one.recv(1) != b""

    return f"closed {crowd(address, 1000, seconds, lambda _one: None, step)}"


def slow_readers(address, seconds):
    def greet(one):
        one.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")

    def step(one, _age):
        return one.recv(1024) != b""

    return f"closed {crowd(address, 200, seconds, greet, step)}"


def slow_heads(address, seconds):
    head = b"GET /metrics HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 1000

    def greet(one):
        one.sendall(head[:1])

    def step(one, age):
        one.sendall(head[age : age + 1])
        return one.recv(1) != b""

    return f"closed {crowd(address, 200, seconds, greet, step)}"


def large_heads(address, _seconds):
    statuses = {}
    for _ in range(1000):
        status, _body = Scraper(address).once(headers={"X-Long": "x" * 64 * 1024})
        statuses[status] = statuses.get(status, 0) + 1
    return ", ".join(f"{count} × {status}" for status, count in statuses.items())


def row_of_scrapes(address, count, headers):
    scraper = Scraper(address)
    statuses = [scraper.once(headers=headers)[0] for _ in range(count)]
    return statuses.count(200)


def in_a_row(address, _seconds):
    return f"{row_of_scrapes(address, 10_000, GZIP)} of 10000 answered"


def in_parallel(address, _seconds):
    counts = [0] * 50

    def scrape(place):
        counts[place] = row_of_scrapes(address, 10, {})

    threads = [threading.Thread(target=scrape, args=(place,)) for place in range(len(counts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return f"{sum(counts)} of {10 * len(counts)} answered"


CASES = {
    "nobody": ("nobody else", lambda _address, seconds: time.sleep(seconds) or ""),
    "idle": ("1,000 idle connections", idle),
    "slow-readers": ("200 slow readers of `/metrics`", slow_readers),
    "slow-heads": ("200 heads of a byte a second", slow_heads),
    "large-heads": ("1,000 heads of 64 KiB", large_heads),
    "row": ("10,000 scrapes in a row", in_a_row),
    "parallel": ("50 scrapers at once, plain text", in_parallel),
}


def attack(case, address, seconds, told):
    told.send(case(address, seconds))


def measure(exporter, name, seconds):
    """One case. Prints its row, and returns what is wrong."""
    words, case = CASES[name]
    before_mb, before_fds = exporter.resident_mb(), exporter.descriptors()
    watch = Watch(exporter)
    ours, theirs = multiprocessing.Pipe()
    # In a process of its own, so that it does not slow down the client that is measured.
    other = multiprocessing.Process(target=attack, args=(case, exporter.address, seconds, theirs))
    began = time.monotonic()
    other.start()
    told = ours.recv()
    took_s = time.monotonic() - began
    other.join()
    watch.end()
    until = time.monotonic() + 30
    while exporter.connections() > 0 and time.monotonic() < until:
        time.sleep(0.1)
    n_scrapes = len(watch.seconds)
    p50, p99 = (1000 * watch.seconds[round(share * (n_scrapes - 1))] for share in (0.5, 0.99))
    cells = [
        words,
        f"{took_s:.0f} s" + (f", {told}" if told else ""),
        f"{n_scrapes - len(watch.failed)} of {n_scrapes}",
        f"{p50:.0f} / {p99:.0f} ms",
        f"{watch.lag_s:.0f} s",
        f"{before_mb:.0f} / {watch.resident_mb:.0f} / {exporter.resident_mb():.0f} MiB",
        f"{before_fds} / {watch.descriptors} / {exporter.descriptors()}",
    ]
    print("| " + " | ".join(cells) + " |", flush=True)
    faults = [f"{name}: a scrape failed: {it}" for it in watch.failed]
    if exporter.connections() > 0:
        faults.append(f"{name}: {exporter.connections()} connections are held for nobody")
    return faults


def run(binary, n_apps, seconds, names, folder):
    listen = "--web.listen-address=127.0.0.1:0"
    flags = ["--rate-limit=1000000", "--calls-per-day=20000"]
    simulator, base_url = start([binary, "simulate", listen, *flags], "stdout", "base URL:")
    programs = [simulator]
    try:
        app = "  - {{ name: app{0:03}, app_id: app{0}, base_url: '{1}', api_key: simulated-key }}\n"
        apps = "".join(app.format(number, base_url) for number in range(n_apps))
        config = os.path.join(folder, "config.yaml")
        with open(config, "w") as file:
            file.write("state: { path: memory }\npoll: { rate_limit: 1000000 }\napps:\n" + apps)
        process, place = start([binary, f"--config.file={config}", listen], "stderr", "listening on ")
        programs.append(process)
        host, port = place.rsplit(":", 1)
        exporter = Exporter(process, (host, int(port)))
        while True:
            _status, body = Scraper(exporter.address).once(headers={})
            if len(re.findall(rb"^cometchat_up\{.*\} 1$", body, re.MULTILINE)) == n_apps:
                break
            time.sleep(0.2)
        n_series = sum(not line.startswith(b"#") for line in body.splitlines())
        print(f"{n_apps} apps, {n_series} series, {len(body) / 1e6:.1f} MB of text\n")
        print("| beside it | | scrapes | p50 / p99 | lag | memory | descriptors |")
        print("|---|---|---|---|---|---|---|", flush=True)
        return [fault for name in names for fault in measure(exporter, name, seconds)]
    finally:
        for program in programs:
            program.terminate()
            program.wait()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--apps", type=int, default=160)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("cases", nargs="*", default=list(CASES))
    given = parser.parse_intermixed_args()
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with tempfile.TemporaryDirectory() as folder:
        # The exporter has as few descriptors as a system gives to its services.
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(2048, hard), hard))
        faults = run(given.binary, given.apps, given.seconds, given.cases, folder)
    sys.exit("\n".join(faults) or None)


if __name__ == "__main__":
    main()
