"""The exporter measured beside what users would run otherwise, on this machine; the tables of docs/performance.md.

usage: peers.py BINARY [--only scrapes start ingest] [--apps 1 16 155] [--calls 100000 1000000] [--rounds N]
                [--seconds S] [--folder FOLDER]

Beside it: nginx with a static file and a ready `.gz`, which is the ceiling; Prometheus' Pushgateway; and a script
with prometheus_client (`afternoon.py`). They show what the exporter shows, or as many series. All are measured in turn,
round by round, so that a slow minute of the machine falls on all. Debian packages are unpacked into the cache of
the tests, nothing is installed. node_exporter with a textfile and sql_exporter are left out: they answer with the
library that Pushgateway uses. `--folder` is for states and pages, 1.5 GB for a million calls: where it
lies decides how long a commit takes.
"""

import argparse
import gzip
import http.client
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from figures import (ALLOCATOR, FORMS, Others, Program, Scraper, end_all, free_port, number, percentile, print_table,
                     run_wrk, spread, text_of, total)

ROOT = Path(__file__).parents[2]
KEY = "simulated-key"
DAYS, SINCE = 7, "8d"
WRK_S = 5
LIMIT = 1_000_000_000
UNBOUND = {"rate_limit": LIMIT, "rate_limit_share": 1}
# Calls that are younger are left out of the pages: some of them go on, for up to eight hours.
YOUNG_S = 12 * 3600
NGINX = """
{user} master_process off; daemon off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 512; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; open_file_cache max=20000 inactive=1h;
  default_type "{type}";
  client_body_temp_path {folder}/1; proxy_temp_path {folder}/2; fastcgi_temp_path {folder}/3;
  uwsgi_temp_path {folder}/4; scgi_temp_path {folder}/5;
  map $arg_page $page {{ default $arg_page; "" 1; 0 1; }}
  server {{
    listen 127.0.0.1:{port}; root {folder}; gzip_static on;
    add_header X-Rate-Limit 1000000000 always; add_header X-Rate-Limit-Remaining 999999999 always;
    location = /v3/calls {{ try_files /pages/$page.json /pages/past.json; }}
  }}
}}
"""


class Bench:
    """The programs, and the folder in which they may write."""

    def __init__(self, given, folder):
        script = '. tests/tools/provide.sh && provide_peers >&2 && printf "%s\n" "$PYTHON" "$PEERS"'
        told = subprocess.run(["bash", "-euc", script], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
        python, peers = told.stdout.split()
        self.given, self.folder, self.python, self.peers = given, folder, python, Path(peers)

    def new_folder(self):
        return Path(tempfile.mkdtemp(dir=self.folder))

    def simulator(self, *flags):
        port = free_port()
        # All apps share its limit, so that it says nothing of it.
        limit = [f"--rate-limit={LIMIT}", "--rate-limit-headers=absent"]
        listen = [f"--web.listen-address=127.0.0.1:{port}"]
        return Program([self.given.binary, "simulate", "--steady", *listen, *limit, *flags], port, "/v3/calls", status=401)

    def exporter(self, api, n_apps, state="memory", since="now", **poll):
        poll = ", ".join(f"{key}: {value}" for key, value in poll.items())
        config = self.new_folder() / "config.yaml"
        lines = [f"state: {{ path: '{state}' }}", f"poll: {{ {poll} }}", f"count: {{ from: {since} }}", "apps:"]
        base_url = "http://{}:{}/v3".format(*api)
        for app in (f"app{number:03}" for number in range(n_apps)):
            lines.append(f"  - {{ name: {app}, app_id: {app}, base_url: '{base_url}', api_key: {KEY} }}")
        config.write_text("\n".join(lines))
        port = free_port()
        listen = [f"--web.listen-address=127.0.0.1:{port}", "--web.max-requests=0"]
        return Program([self.given.binary, f"--config.file={config}", *listen], port, **ALLOCATOR)

    def nginx(self, folder, path, content_type):
        port = free_port()
        user = "user root;" if os.geteuid() == 0 else ""
        config, log = folder / "nginx.conf", folder / "error.log"
        config.write_text(NGINX.format(folder=folder, port=port, type=content_type, user=user))
        return Program([self.peers / "usr/sbin/nginx", "-c", config, "-e", log], port, path)

    def static_file(self, text):
        folder = self.new_folder()
        (folder / "metrics").write_bytes(text)
        (folder / "metrics.gz").write_bytes(gzip.compress(text, 6))
        return self.nginx(folder, "/metrics", "text/plain; version=0.0.4")

    def pushgateway(self, text):
        port = free_port()
        program = self.peers / "usr/bin/prometheus-pushgateway"
        gateway = Program([program, f"--web.listen-address=127.0.0.1:{port}"], port)
        # It shows values of its own process, and takes none of another.
        pushed = b"".join(line for line in text.splitlines(True) if b"process_" not in line)
        connection = http.client.HTTPConnection(*gateway.address)
        connection.request("PUT", "/metrics/job/cometchat", pushed)
        answer = connection.getresponse()
        if answer.status not in (200, 202):
            sys.exit(f"Pushgateway: {answer.status} {answer.read().decode()}")
        while b"cometchat_up" in text and b"cometchat_up" not in text_of(gateway):
            time.sleep(0.1)
        return gateway

    def afternoon_script(self, *flags):
        port = free_port()
        script = [self.python, ROOT / "tests/tools/afternoon.py", f"--port={port}", *flags]
        return Program(script, port, PROMETHEUS_DISABLE_CREATED_SERIES="True")


def series_of(text):
    return sum(not line.startswith(b"#") for line in text.splitlines())


def until(is_so, timeout_s=900):
    """Looks ever less often, so that looking takes little and tells the time well."""
    began = time.perf_counter()
    while not is_so():
        took_s = time.perf_counter() - began
        if took_s > timeout_s:
            sys.exit(f"waited {took_s:.0f} s in vain")
        time.sleep(max(0.005, took_s / 100))
    return time.perf_counter() - began


class Answers:
    """How one program answered, in each round."""

    def __init__(self, program):
        self.program, self.p50, self.p99, self.per_s, self.n_series = program, {}, {}, [], 0
        self.cpu_s, self.n_answers, self.memory = 0.0, 0, None
        self.forms = []
        for form in FORMS:
            scraper = Scraper(program.address, form)
            scraper.once()
            if scraper.is_as_asked():
                self.forms.append(form)
                self.p50[form], self.p99[form] = [], []
            scraper.close()

    def scrape(self, form, seconds, pause_s):
        scraper, took_ms, end = Scraper(self.program.address, form), [], time.perf_counter() + seconds
        while len(took_ms) < 5 or time.perf_counter() < end:
            took_ms.append(scraper.once())
            if pause_s:
                time.sleep(pause_s)
        scraper.close()
        self.p50[form].append(percentile(took_ms, 0.5))
        self.p99[form].append(percentile(took_ms, 0.99))

    def times(self, form):
        return f"{spread(self.p50[form])} / {spread(self.p99[form])}" if form in self.forms else "–"

    def load(self, peers, seconds):
        before_s = self.program.cpu_s()
        per_s = run_wrk(peers, self.program, "text, gzip", seconds)
        self.per_s.append(per_s)
        while True:
            # What wrk has given up at its end is still worked at.
            now_s = self.program.cpu_s()
            time.sleep(0.1)
            if self.program.cpu_s() - now_s < 0.05:
                break
        self.cpu_s += now_s - before_s
        self.n_answers += per_s * seconds


def measure(bench, programs, seconds, pause_s=0):
    answers, others = {name: Answers(program) for name, program in programs.items()}, Others()
    for _ in range(bench.given.rounds):
        for form in FORMS:
            for one in answers.values():
                if form in one.forms:
                    others.begin()
                    one.scrape(form, seconds, pause_s)
                    others.step()
        for one in answers.values():
            others.begin()
            one.load(bench.peers, WRK_S)
            others.step()
    for one in answers.values():
        one.memory, one.n_series = one.program.memory_mib(), series_of(text_of(one.program))
    return answers, others


def measure_scrapes(bench, n_apps):
    """The same number of series shown by each, and then by an exporter while it polls and commits."""
    seconds = bench.given.seconds
    simulator = bench.simulator("--calls-per-day=2000")
    exporter = bench.exporter(simulator.address, n_apps)
    until(lambda: total(exporter, "cometchat_up") == n_apps)
    text = text_of(exporter)
    programs = {
        "nginx, static file": bench.static_file(text),
        "Pushgateway": bench.pushgateway(text),
        "afternoon script": bench.afternoon_script(f"--series={series_of(text)}"),
        "exporter": exporter,
    }
    answers, others = measure(bench, programs, seconds)
    end_all()
    simulator = bench.simulator("--calls-per-day=100000")
    busy = bench.exporter(simulator.address, n_apps, bench.new_folder() / "state", interval="1s")
    until(lambda: total(busy, "cometchat_up") == n_apps)
    # A scrape each 10 ms: most of them find something new.
    programs = {"nginx, a scrape each 10 ms": bench.static_file(text), "exporter, the same, polling": busy}
    polling, others_then = measure(bench, programs, 3 * seconds, pause_s=0.01)
    end_all()
    others.cores += others_then.cores
    return answers | polling, others


def show_scrapes(bench):
    times, throughput, memory, all_others = [], [], [], Others()
    for n_apps in bench.given.apps:
        answers, others = measure_scrapes(bench, n_apps)
        all_others.cores += others.cores
        ceiling = answers["nginx, static file"]
        for name, one in answers.items():
            begin = [f"{one.n_series:,}", name]
            times.append(begin + [one.times(form) for form in FORMS])
            share = statistics.median(one.per_s) / statistics.median(ceiling.per_s)
            # With few answers much of it went into those that wrk did not wait for.
            cpu_s = number(1000 * one.cpu_s / one.n_answers) if one.n_answers >= 100 else "–"
            throughput.append([*begin, spread(one.per_s), number(share), cpu_s])
            resident, most = one.memory
            memory.append([*begin, number(resident), number(most), number(most / resident)])
    print("\nMilliseconds of a scrape over one connection, p50 / p99: median of the rounds, least and most.")
    print_table(["series", "", *FORMS], times, all_others)
    print("\nUnder `wrk -t1 -c8`, text in gzip.")
    print_table(["series", "", "scrapes a second", "of nginx", "CPU s for 1,000"], throughput)
    print("\nMemory after all of this, in MiB.")
    print_table(["series", "", "resident", "at most", "ratio"], memory)


def capture(bench, n_calls):
    """The newest calls of a simulated app that are over, as files behind nginx, so that no server is faster."""
    # A few more than are needed, since their number is a random one.
    flags = [f"--history={DAYS}d", "--stop-after=0s", f"--calls-per-day={1.2 * n_calls / DAYS:.0f}"]
    simulator = bench.simulator(*flags)
    folder, connection = bench.new_folder(), http.client.HTTPConnection(*simulator.address)
    (folder / "pages").mkdir()

    def page(number):
        connection.request("GET", f"/v3/calls?page={number}&perPage=100", headers={"apikey": KEY})
        body = connection.getresponse().read()
        rows, _, meta = body.rpartition(b'"meta":')
        return rows, *(int(re.search(rb'"%b":(\d+)' % key, meta)[1]) for key in (b"count", b"total"))

    n_young, now = 1, time.time()
    while now - int(re.search(rb'"initiatedAt":(\d+)', page(n_young)[0])[1]) < YOUNG_S:
        n_young += 1
    n_pages = n_calls // 100
    meta = '"meta":{"pagination":{"total":%d,"count":%d,"per_page":100,"current_page":%d,"total_pages":%d}}}'
    n_listed = None
    # A call that is listed late pushes the others on, so that one of them would be there twice.
    while n_listed != (n_listed := page(1)[2]):
        for number in range(1, n_pages + 1):
            rows, n_rows, _ = page(number + n_young)
            assert n_rows == 100 and b'"status":"ongoing"' not in rows
            (folder / f"pages/{number}.json").write_bytes(rows + (meta % (n_calls, 100, number, n_pages)).encode())
    (folder / "pages/past.json").write_text('{"data":[],' + meta % (n_calls, 0, n_pages + 1, n_pages))
    simulator.end()
    return bench.nginx(folder, "/v3/calls", "application/json")


def show_ingest(bench):
    rows, others = [], Others()
    for n_calls in bench.given.calls:
        api = capture(bench, n_calls)
        url = "http://{}:{}/v3".format(*api.address)

        def read(n_apps, state):
            return bench.exporter(api.address, n_apps, state, SINCE, **UNBOUND)

        cases = {
            "exporter, in memory": (1, lambda: read(1, "memory")),
            "exporter, in a file": (1, lambda: read(1, bench.new_folder() / "state")),
            "afternoon script": (1, lambda: bench.afternoon_script(f"--url={url}", "--interval=3600")),
        }
        if n_calls == min(bench.given.calls):
            # Their pages wait for each other and are committed together.
            cases["exporter, in a file, 10 apps"] = (10, lambda: read(10, bench.new_folder() / "state"))
        results = {name: ([], [], []) for name in cases}
        for _ in range(bench.given.rounds):
            for name, (n_apps, start) in cases.items():
                metric = "cometchat_calls_total" if "script" in name else "cometchat_calls_initiated_total"
                n_expected = n_apps * n_calls
                others.begin()
                began = time.perf_counter()
                program = start()
                until(lambda: total(program, metric) >= n_expected)
                took_s, cpu_s = time.perf_counter() - began, program.cpu_s()
                others.step()
                assert total(program, metric) == n_expected, f"{name} counted wrong"
                figures = (n_expected / took_s, 100_000 * cpu_s / n_expected, program.memory_mib()[1])
                for place, figure in zip(results[name], figures):
                    place.append(figure)
                program.end()
        rows += [[f"{cases[name][0] * n_calls:,}", name, *map(spread, found)] for name, found in results.items()]
        api.end()
    print("\nReading pages of 100 calls that nginx holds ready, from the start until `/metrics` shows all.")
    print_table(["calls", "", "calls a second", "CPU s for 100,000", "memory at most, MiB"], rows, others)


def show_start(bench):
    others, n_starts = Others(), 3 * bench.given.rounds
    simulator = bench.simulator("--calls-per-day=2000")
    starts = {
        "nginx": lambda: bench.static_file(b"up 1\n"),
        "Pushgateway": lambda: bench.pushgateway(b"up 1\n"),
        "afternoon script": lambda: bench.afternoon_script(),
        "exporter, no state": lambda: bench.exporter(simulator.address, 1, bench.new_folder() / "state"),
    }
    took_ms = {name: [] for name in starts}
    for _ in range(n_starts):
        for name, start in starts.items():
            others.begin()
            program = start()
            others.step()
            took_ms[name].append(program.start_ms)
            program.end()
    rows = [[name, spread(took), ""] for name, took in took_ms.items()]
    simulator.end()
    rows += start_with_state(bench, max(bench.given.calls), n_starts, others)
    print("\nMilliseconds from the start to the first answer of `/metrics`, and to the one that shows the counters.")
    print_table(["", "first answer", "counters"], rows, others)


def start_with_state(bench, n_calls, n_starts, others):
    """The state is read once, all of it young enough to stay in the ledger; each start has a copy."""
    api = capture(bench, n_calls)
    folder = bench.new_folder()

    def start(state):
        return bench.exporter(api.address, 1, state, SINCE, lookback=SINCE, **UNBOUND)

    def is_whole(program):
        return total(program, "cometchat_calls_initiated_total") == n_calls

    reader = start(folder / "state")
    until(lambda: is_whole(reader))
    reader.end(kill=True)
    shutil.copy(folder / "state", folder / "after a kill")
    reader = start(folder / "state")
    until(lambda: is_whole(reader))
    reader.end()
    shutil.copy(folder / "state", folder / "after a clean end")
    names = ("after a clean end", "after a kill")
    took_ms = {name: ([], []) for name in names}
    for _ in range(n_starts):
        for name in names:
            shutil.copy(folder / name, folder / "state")
            os.sync()
            others.begin()
            began = time.perf_counter()
            program = start(folder / "state")
            until(lambda: is_whole(program))
            took_ms[name][1].append(1000 * (time.perf_counter() - began))
            took_ms[name][0].append(program.start_ms)
            others.step()
            program.end()
    api.end()
    return [[f"exporter, {n_calls:,} calls, {name}", *map(spread, took)] for name, took in took_ms.items()]


SECTIONS = {"scrapes": show_scrapes, "start": show_start, "ingest": show_ingest}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS))
    parser.add_argument("--apps", nargs="+", type=int, default=[1, 16, 155])
    parser.add_argument("--calls", nargs="+", type=int, default=[100_000, 1_000_000])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--folder")
    given = parser.parse_args()
    # So that nothing is left running by whoever ends it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    with tempfile.TemporaryDirectory(dir=given.folder) as folder:
        os.chmod(folder, 0o755)
        try:
            bench = Bench(given, Path(folder))
            for name in given.only:
                SECTIONS[name](bench)
        finally:
            end_all()


if __name__ == "__main__":
    main()
