"""What the dashboards cost Prometheus over 30 days with many apps, and what the recording rules spare.

usage: query_cost.py BINARY [--apps 50] [--days 60] [--keep FOLDER]

Takes what the demo shows of one app, spreads it over sixty days with a sample a minute, has promtool evaluate
the recording rules over them, and gives the app forty-nine copies (`many_apps.py`). Then it asks every query of
every dashboard as Grafana does for a panel of 1,280 pixels over 30 days, up to three times, takes the fastest,
and prints the panels that are slowest: on metrics, on recorded series, and on metrics of one of the apps. Needs
PROMTOOL_NEWER and PROMETHEUS_NEWER, as `tests/run` sets them; also asks PROMETHEUS_3. `--keep` names a folder for the data: made if it is not there, used again if it is.
"""

import argparse
import json
import math
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from pathlib import Path

import yaml

from many_apps import multiply

ROOT = Path(__file__).parents[2]
MINUTE, HOUR, DAY = 60, 3600, 86400
RANGE_S, PIXELS, SCRAPE_S = 30 * DAY, 1280, MINUTE
SAMPLE = re.compile(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$")
# The steps that Grafana rounds to, each up to the next of these bounds, in seconds.
STEPS = [(750, 600), (1050, 900), (1500, 1200), (2700, 1800), (5400, 3600), (9000, 7200), (16200, 10800)]
# The values of the variable `source`, as on metrics and on recorded series.
SOURCES = (".*", ".+")


def free_port():
    import socket
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Prometheus:
    def __init__(self, program, folder):
        self.url = f"http://127.0.0.1:{free_port()}"
        (folder / "prometheus.yml").write_text("scrape_configs: []\n")
        self.process = subprocess.Popen(
            [program, f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}",
             f"--web.listen-address={self.url[7:]}", "--storage.tsdb.retention.time=100y",
             # The copies share their chunks; compacting would write each of them.
             "--storage.tsdb.min-block-duration=2h", "--storage.tsdb.max-block-duration=2h", "--query.timeout=10m"],
            stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        while True:
            try:
                urllib.request.urlopen(self.url + "/-/ready").close()
                return
            except OSError:
                assert self.process.poll() is None, f"{program} ended"
                time.sleep(0.2)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def ask(self, path, **parameters):
        """Milliseconds, and the number of series."""
        data = urllib.parse.urlencode(parameters).encode()
        began = time.monotonic()
        try:
            with urllib.request.urlopen(self.url + path, data) as answer:
                body = answer.read()
        except urllib.error.HTTPError as error:
            sys.exit(f"{parameters['query']}: {error.read().decode()}")
        took_ms = 1000 * (time.monotonic() - began)
        return took_ms, len(json.loads(body)["data"]["result"])


def write_past(exposition, file, end, days):
    """Counters grow to sixty days of what they are, faster by day than by night; gauges stay."""
    times = range(end - days * DAY, end + 1, MINUTE)
    def grown(at):
        return at - times[0] - 0.65 * DAY / (2 * math.pi) * math.sin(2 * math.pi * at / DAY)
    low, high = grown(times[0]), grown(end)
    growth = [(grown(at) - low) / (high - low) for at in times]
    kinds, samples = {}, {}
    for line in exposition.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            kinds[name] = kind
        elif found := SAMPLE.match(line):
            name, labels, value = found.groups()
            base = name if name in kinds else re.sub(r"_(bucket|sum|count)$", "", name)
            labels = f'job="cometchat",instance="10.0.0.1:10180"{"," if labels else ""}{labels or ""}'
            samples.setdefault(base, []).append((f"{name}{{{labels}}}", float(value)))
    for name in ("up", "scrape_duration_seconds", "scrape_samples_scraped"):
        kinds[name] = "gauge"
        samples[name] = [(f'{name}{{job="cometchat",instance="10.0.0.1:10180"}}', 1.0)]
    for family, rows in samples.items():
        kind = kinds[family]
        file.write(f"# TYPE {family.removesuffix('_total') if kind == 'counter' else family} {kind}\n")
        for series, value in rows:
            if kind == "gauge":
                gap = end - value if "timestamp" in family and end - value < HOUR else None
                lines = [f"{series} {value if gap is None else at - gap} {at}\n" for at in times]
            else:
                last = value * 4 * days  # the demo holds six hours
                lines = [f"{series} {int(last * share)} {at}\n" for share, at in zip(growth, times)]
            file.writelines(lines)
    file.write("# EOF\n")


def exposition(binary):
    demo = subprocess.Popen([binary, "demo", "--web.listen-address=127.0.0.1:0"], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        url = next(line for line in demo.stdout if "Metrics:" in line).split("Metrics:")[1].strip()
        while True:
            with urllib.request.urlopen(url) as answer:
                text = answer.read().decode()
            if re.search(r"^cometchat_calls_total\{.*\} [1-9]", text, re.MULTILINE):
                return text
            time.sleep(0.2)
    finally:
        demo.terminate()
        demo.wait()


def promtool(duration, *arguments):
    subprocess.run([os.environ["PROMTOOL_NEWER"], "tsdb", "create-blocks-from", f"--max-block-duration={duration}",
                    *map(str, arguments)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def levels(groups):
    """The rules in the order in which they stand on each other, since promtool sees only what is loaded."""
    left = [rule for group in groups for rule in group["rules"]]
    while left:
        waiting = {rule["record"] for rule in left}
        ready = [rule for rule in left
                 if not waiting & set(re.findall(r"[\w]+:[\w:]+", rule["expr"])) - {rule["record"]}]
        yield ready
        left = [rule for rule in left if rule not in ready]


def overlap(data):
    metas = [json.loads(path.read_text()) for path in data.glob("*/meta.json")]
    spans = sorted((meta["minTime"], meta["maxTime"]) for meta in metas)
    return any(one[1] > other[0] for one, other in zip(spans, spans[1:]))


def make(binary, folder, end, n_apps, days):
    text = folder / "past.om"
    with open(text, "w") as file:
        write_past(exposition(binary), file, end, days)
    promtool("768h", "openmetrics", "-q", text, folder / "data")
    text.unlink()
    rules = yaml.safe_load((ROOT / "prometheus/cometchat.rules.yml").read_text())
    for rules in levels(rules["groups"]):
        path = folder / "rules.yml"
        path.write_text(yaml.safe_dump({"groups": [{"name": "all", "rules": rules}]}))
        with Prometheus(os.environ["PROMETHEUS_NEWER"], folder) as prometheus:
            # A query gives no more than 11,000 points, which are a week.
            promtool("162h", "rules", f"--start={end - days * DAY}", f"--end={end}", "--eval-interval=1m",
                     f"--url={prometheus.url}", f"--output-dir={folder / 'data'}", path)
    # Blocks that overlap are made one within two minutes.
    with Prometheus(os.environ["PROMETHEUS_NEWER"], folder):
        while overlap(folder / "data"):
            time.sleep(1)
    multiply(folder / "data", [f"app{number:02}" for number in range(n_apps)])
    (folder / "end").write_text(str(end))


def step_of(panel):
    """As Grafana works it out, and the window that it puts in for $__rate_interval."""
    wanted = RANGE_S / panel.get("maxDataPoints", PIXELS)
    step = next((step for bound, step in STEPS if wanted < bound), 43200)
    unit = {"m": MINUTE, "h": HOUR, "d": DAY}
    if given := panel.get("interval"):
        step = max(step, int(given[:-1]) * unit[given[-1]])
    return step, max(step + SCRAPE_S, 4 * SCRAPE_S)


def queries(source, app):
    """Each query: the dashboard, the title of the panel, the expression, its step or None."""
    for name in ("calls", "usage", "exporter", "fleet"):
        board = json.loads((ROOT / f"grafana/{name}.json").read_text())
        given = {one["name"]: one["query"] for one in board["templating"]["list"] if one["type"] == "textbox"}
        for panel in board["panels"]:
            step, window = step_of(panel)
            values = {"__rate_interval": f"{window}s", "__range_s": str(RANGE_S), "__range": f"{RANGE_S}s",
                      "job": ".+", "instance": ".+", "cometchat_app": app, "source": source, **given}
            for target in panel.get("targets", ()):
                expression = target["expr"]
                for variable, value in values.items():
                    expression = re.sub(rf"\${variable}\b", value, expression)
                yield f"{name}: {panel['title']}", expression, None if target.get("instant") else step


def fastest(prometheus, expression, step, end):
    def once():
        if step is None:
            return prometheus.ask("/api/v1/query", query=expression, time=end)
        return prometheus.ask("/api/v1/query_range", query=expression, step=step,
                              start=(end - RANGE_S) // step * step, end=end // step * step)
    runs = [once()]
    while len(runs) < 3 and sum(took for took, _ in runs) < 3000:
        runs.append(once())
    return min(runs)


def panels(prometheus, end, source, app=".+"):
    """Of each panel: milliseconds, the slowest query of them, series, queries, step."""
    found, known = {}, {}
    for place, expression, step in queries(source, app):
        if (expression, step) not in known:
            known[expression, step] = fastest(prometheus, expression, step, end)
        found.setdefault(place, []).append((*known[expression, step], step))
    return {place: (sum(took for took, *_ in runs), max(took for took, *_ in runs), sum(n for _, n, _ in runs),
                    len(runs), runs[0][2]) for place, runs in found.items()}


def measure(program, folder, end, slowest):
    version = subprocess.run([program, "--version"], text=True, capture_output=True, check=True)
    print(f"\n{(version.stdout + version.stderr).split(' (')[0]}\n")
    with Prometheus(program, folder) as prometheus:
        metrics, recorded = (panels(prometheus, end, source) for source in SOURCES)
        one = panels(prometheus, end, SOURCES[0], "app00")
    print("| panel | queries | step, s | series | metrics | recorded series | metrics, one app |")
    print("|---|---|---|---|---|---|---|")
    ranked = sorted(metrics, key=lambda place: -metrics[place][0])
    again = [place for place in sorted(recorded, key=lambda place: -recorded[place][0])[:3]]
    for place in ranked[:slowest] + [place for place in again if place not in ranked[:slowest]]:
        took, _, n_series, n_queries, step = metrics[place]
        print(f"| {place} | {n_queries} | {step or 'once'} | {n_series} | {took:.0f} ms | {recorded[place][0]:.0f} ms | "
              f"{one[place][0]:.0f} ms |")
    for name, found in (("metrics", metrics), ("recorded series", recorded), ("metrics, one app", one)):
        every = [took for took, *_ in found.values()]
        print(f"\n{name}: {len(every)} panels, median {statistics.median(every):.0f} ms, {sum(every) / 1000:.1f} s "
              f"together, slowest query {max(slow for _, slow, *_ in found.values()):.0f} ms", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--apps", type=int, default=50)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--slowest", type=int, default=10)
    parser.add_argument("--keep")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(given.keep or scratch)
        if not (folder / "end").exists():
            folder.mkdir(exist_ok=True)
            began = time.monotonic()
            make(given.binary, folder, int(time.time()) // HOUR * HOUR, given.apps, given.days)
            print(f"data made in {time.monotonic() - began:.0f} s", flush=True)
        for variable in ("PROMETHEUS_NEWER", "PROMETHEUS_3"):
            if program := os.environ.get(variable):
                measure(program, folder, int((folder / "end").read_text()), given.slowest)


if __name__ == "__main__":
    main()
