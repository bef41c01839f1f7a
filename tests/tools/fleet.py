"""Hundreds of apps in one process against slow APIs: what it takes, and what a few bad ones change.

usage: fleet.py BINARY [--apps N] [--minutes N] [--latency DURATION] [--plain]

Starts two simulated APIs, one for most apps and one for the busy ones (one in fifty), nginx before them for TLS
and HTTP/2 (not with `--plain`), and an exporter that reads each app at an address of its own, as each app of
CometChat has a host of its own. It reads the last day of all of them, is started again, and is then watched
three times, for that long each:

1. alone,
2. with ten more apps whose API hangs and ten whose key is refused,
3. while fifty further apps come by a reload.

Each time it is scraped as a whole every five seconds and app by app five times a second. Without `--plain`, an idle
nginx is asked for an empty answer five times a second, too: that shows which part of the milliseconds is the machine's.
Prints a row of a table for each.
"""

import argparse
import gzip
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

from figures import ALLOCATOR, Program, Scraper, end_all, free_port, percentile, print_table

FORM = "OpenMetrics, gzip"

INTERVAL_S = 30
N_BAD, N_ADDED, BUSY_ONE_IN = 10, 50, 50
# 10,000 a day on average. They come as often by night, so that the hour of a run changes nothing.
CALLS_PER_DAY, BUSY_CALLS_PER_DAY = 9_200, 50_000


# The address of an app; a certificate names them all.
ADDRESSES = [f"127.1.{number // 250}.{number % 250 + 1}" for number in range(1000)]
CERTIFICATE = """
[req]
distinguished_name = name
x509_extensions = extensions
[name]
[extensions]
basicConstraints = CA:FALSE
subjectAltName = {names}
"""
TEMPORARY = """
  client_body_temp_path {folder}/1; proxy_temp_path {folder}/2; fastcgi_temp_path {folder}/3;
  uwsgi_temp_path {folder}/4; scgi_temp_path {folder}/5;"""
NGINX = """
master_process off; daemon off; pid {folder}/pid; worker_rlimit_nofile 8192;
events {{ worker_connections 4096; }}
http {{
  access_log off; keepalive_requests 1000000000; keepalive_timeout 600s;
  ssl_certificate {folder}/certificate; ssl_certificate_key {folder}/key; ssl_protocols TLSv1.3;
  {temporary} proxy_buffers 64 8k;
  server {{ listen 0.0.0.0:{ordinary[1]} ssl http2; location / {{ proxy_pass http://127.0.0.1:{ordinary[0]}; }} }}
  server {{ listen 127.0.0.1:{ready}; location / {{ return 200; }} }}
  server {{ listen 0.0.0.0:{busy[1]} ssl http2; location / {{ proxy_pass http://127.0.0.1:{busy[0]}; }} }}
}}
"""

# A process of its own, so that its times are the machine's.
IDLE = """
master_process off; daemon off; pid {folder}/idle.pid; events {{ }}
http {{
  access_log off; keepalive_requests 1000000000; {temporary}
  server {{ listen 127.0.0.1:{port}; return 200; }}
}}
"""


class Apis:
    """What the apps are read from: each app has a loopback address of its own."""

    def __init__(self, given, folder):
        self.scheme, self.certificate, self.idle = "http", None, None
        self.ordinary = self.simulate(given.binary, CALLS_PER_DAY, given.latency)
        self.busy = self.simulate(given.binary, BUSY_CALLS_PER_DAY, given.latency)
        # Takes connections into its queue and never answers.
        self.hanging = socket.create_server(("0.0.0.0", 0), backlog=1024)
        if not given.plain:
            self.encrypt(folder)

    def encrypt(self, folder):
        self.scheme, self.certificate = "https", os.path.join(folder, "certificate")
        request = os.path.join(folder, "request")
        with open(request, "w") as file:
            file.write(CERTIFICATE.format(names=",".join(f"IP:{it}" for it in ADDRESSES)))
        command = ["openssl", "req", "-x509", "-config", request, "-newkey", "ec", "-pkeyopt"]
        command += ["ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=apis"]
        command += ["-keyout", os.path.join(folder, "key"), "-out", self.certificate]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        plain, self.ordinary, self.busy = (self.ordinary, self.busy), free_port(), free_port()
        ready = free_port()
        config, temporary = os.path.join(folder, "nginx.conf"), TEMPORARY.format(folder=folder)
        with open(config, "w") as file:
            ports = {"ordinary": (plain[0], self.ordinary), "busy": (plain[1], self.busy), "ready": ready}
            file.write(NGINX.format(folder=folder, temporary=temporary, **ports))
        script = '. tests/tools/provide.sh && provide_peers >&2 && printf "%s" "$PEERS"'
        root = os.path.join(os.path.dirname(__file__), "..", "..")
        peers = subprocess.run(["bash", "-c", script], cwd=root, check=True, stdout=subprocess.PIPE, text=True).stdout
        nginx = [f"{peers}/usr/sbin/nginx", "-e", os.path.join(folder, "nginx.log"), "-c"]
        Program([*nginx, config], ready)
        self.idle, config = free_port(), os.path.join(folder, "idle.conf")
        with open(config, "w") as file:
            file.write(IDLE.format(folder=folder, temporary=temporary, port=self.idle))
        Program([*nginx, config], self.idle)

    def simulate(self, binary, calls_per_day, latency):
        port = free_port()
        flags = [f"--web.listen-address=0.0.0.0:{port}", f"--calls-per-day={calls_per_day}", "--steady"]
        flags += [f"--latency={latency}", "--rate-limit=100000000", "--rate-limit-headers=absent"]
        Program([binary, "simulate", *flags], port, "/v3/calls", status=401)
        return port

    def app(self, number, port, key="simulated-key"):
        url = f"{self.scheme}://{ADDRESSES[number]}:{port}/v3"
        return f"  - {{ name: app{number:03}, app_id: app{number:03}, base_url: '{url}', api_key: {key} }}\n"

    def good(self, numbers):
        ports = ((number, self.ordinary if number % BUSY_ONE_IN else self.busy) for number in numbers)
        return "".join(self.app(number, port) for number, port in ports)

    def bad(self, first):
        hanging = self.hanging.getsockname()[1]
        lines = [self.app(first + number, hanging) for number in range(N_BAD)]
        lines += [self.app(first + N_BAD + number, self.ordinary, "refused") for number in range(N_BAD)]
        return "".join(lines)


def ports_to_apis(exporter):
    """The local ports of its connections to APIs."""
    with open(f"/proc/{exporter.process.pid}/net/tcp") as table:
        rows = [line.split() for line in table][1:]
    # Little-endian addresses: the APIs are at 127.1.*.*
    return {row[1] for row in rows if row[2].split(":")[0].endswith("017F") and row[3] == "01"}


class Figures:
    """What the scrapes of one span of time showed."""

    def __init__(self, exporter, good, nginx_port):
        self.exporter, self.good = exporter, sorted(good)
        # What was scraped is read afterwards: it would slow down the client that is measured.
        self.whole_ms, self.one_ms, self.nothing_ms = [], [], []
        self.bodies, self.ports, self.memory_mib = [], set(), []
        self.stopped, self.faults = threading.Event(), []
        clients = [(self.all, 5, exporter.address), (self.one, 0.2, exporter.address)]
        if nginx_port:
            clients.append((self.nothing, 0.2, ("127.0.0.1", nginx_port)))
        self.threads = [threading.Thread(target=self.repeat, args=it) for it in clients]
        self.began, self.cpu_s = time.monotonic(), exporter.cpu_s()
        for thread in self.threads:
            thread.start()

    def repeat(self, scrape, every_s, address):
        scraper = Scraper(address, FORM)
        while not self.stopped.wait(every_s):
            try:
                scrape(scraper)
                if scraper.status != 200:
                    raise RuntimeError(f"answered {scraper.status}")
            except Exception as error:
                self.faults.append(error)
                return

    def all(self, scraper):
        self.whole_ms.append(scraper.once())
        self.bodies.append(scraper.body())
        self.memory_mib.append(self.exporter.memory_mib())
        self.ports |= ports_to_apis(self.exporter)

    def one(self, scraper):
        app = self.good[len(self.one_ms) % len(self.good)]
        self.one_ms.append(scraper.once(f"/metrics?app={app}"))

    def nothing(self, scraper):
        self.nothing_ms.append(scraper.once("/"))

    def end(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join()
        if self.faults:
            raise self.faults[0]
        self.cpu_share = (self.exporter.cpu_s() - self.cpu_s) / (time.monotonic() - self.began)

    def row(self, what):
        def points(samples):
            return " / ".join(f"{percentile(samples, share):.2f}" for share in (0.5, 0.99))

        n_series, lag_s, requests = [], [], []
        for body in self.bodies:
            text = gzip.decompress(body).decode()
            n_series.append(len(re.findall(r"^[^#]", text, re.MULTILINE)))
            lags = re.findall(r'^cometchat_poll_lag_seconds\{cometchat_app="(.*)"\} (\S+)$', text, re.MULTILINE)
            lag_s += [float(lag) for app, lag in lags if app in self.good]
            asked = re.findall(r"^cometchat_api_requests_total\{.*\} (\S+)$", text, re.MULTILINE)
            requests.append(sum(map(float, asked)))
        cells = [
            what,
            f"{n_series[-1]:,}",
            f"{max(lag_s):.0f} s",
            f"{100 * self.cpu_share:.1f} %",
            " / ".join(f"{max(sizes):.0f}" for sizes in zip(*self.memory_mib)) + " MiB",
            points(self.whole_ms),
            points(self.one_ms),
            points(self.nothing_ms) if self.nothing_ms else "–",
            f"{requests[-1] - requests[0]:.0f}",
            f"{len(self.ports)}",
        ]
        return cells


class Stage:
    def __init__(self, given, folder):
        self.given, self.folder = given, folder
        self.apis = Apis(given, folder)
        self.config = os.path.join(folder, "config.yaml")
        self.exporter, self.rows = None, []

    def configure(self, apps, more=""):
        head = f"state: {{ path: {self.folder}/state.redb }}\ncount: {{ from: 1d }}\n"
        with open(self.config, "w") as file:
            file.write(f"{head}poll: {{ interval: {INTERVAL_S}s{more} }}\napps:\n{apps}")

    def begin(self):
        """Starts the exporter."""
        port = free_port()
        flags = [f"--config.file={self.config}", f"--web.listen-address=127.0.0.1:{port}"]
        environment = {"SSL_CERT_FILE": self.apis.certificate or "", **ALLOCATOR}
        flags += ["--web.enable-lifecycle"]
        # In no other form: it would keep both.
        self.exporter = Program([self.given.binary, *flags], port, form=FORM, **environment)

    def wait_until_read(self, names):
        """Until every app has read up to now."""
        began = time.monotonic()
        scraper = Scraper(self.exporter.address, FORM)
        while True:
            scraper.once()
            text = gzip.decompress(scraper.body()).decode()
            complete = set(re.findall(r'^cometchat_calls_initiated_total\{cometchat_app="([^"]*)"', text, re.MULTILINE))
            if names <= complete:
                return time.monotonic() - began
            time.sleep(5)

    def reload(self):
        host, port = self.exporter.address
        order = urllib.request.Request(f"http://{host}:{port}/-/reload", method="POST")
        urllib.request.urlopen(order).close()

    def watch(self, what, good, seconds, act=None):
        figures = Figures(self.exporter, good, self.apis.idle)
        time.sleep(seconds / 10)
        if act:
            act()
        time.sleep(seconds - seconds / 10)
        figures.end()
        self.rows.append(figures.row(what))


def names_of(numbers):
    return {f"app{number:03}" for number in numbers}


def run(given, folder):
    stage = Stage(given, folder)
    apis, n_apps, seconds = stage.apis, given.apps, 60 * given.minutes
    good = apis.good(range(n_apps))
    # The past is read at almost three times the budget that holds afterwards.
    stage.configure(good, ", rate_limit_share: 0.55")
    stage.begin()
    took_s = stage.wait_until_read(names_of(range(n_apps)))
    cpu_s, (_resident, peak_mib) = stage.exporter.cpu_s(), stage.exporter.memory_mib()
    print(f"{n_apps} apps, a day of {CALLS_PER_DAY} calls each, {BUSY_CALLS_PER_DAY} in one of {BUSY_ONE_IN}: "
          f"read in {took_s:.0f} s, {cpu_s:.0f} s of CPU, peak {peak_mib:.0f} MiB")
    stage.exporter.end()
    stage.configure(good)
    size = os.path.getsize(os.path.join(folder, "state.redb"))
    stage.begin()
    start_s = stage.exporter.start_ms / 1000
    print(f"start over a state of {size / 1e6:.0f} MB: {start_s:.2f} s to the first scrape", flush=True)
    stage.wait_until_read(names_of(range(n_apps)))
    time.sleep(2 * INTERVAL_S)
    stage.watch("alone", names_of(range(n_apps)), seconds)
    bad = apis.bad(n_apps)
    stage.configure(good + bad)
    stage.reload()
    stage.watch("with ten that hang and ten that are refused", names_of(range(n_apps)), seconds)
    more = range(n_apps + 2 * N_BAD, n_apps + 2 * N_BAD + N_ADDED)
    stage.configure(good + bad + apis.good(more))
    stage.watch("a reload adds fifty", names_of(range(n_apps)), seconds, stage.reload)
    columns = ["", "series", "lag at most", "CPU of a core", "memory / peak", "scrape of all, ms, p50 / p99"]
    print_table([*columns, "of one app", "nginx, nothing", "requests", "connections"], stage.rows)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--apps", type=int, default=500)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--latency", default="200ms")
    parser.add_argument("--plain", action="store_true")
    given = parser.parse_args()
    # So that nothing is left running by whoever ends it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    with tempfile.TemporaryDirectory() as folder:
        try:
            run(given, folder)
        finally:
            end_all()


if __name__ == "__main__":
    main()
