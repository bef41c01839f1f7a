#!/usr/bin/env python3
"""Makes a past out of one exposition: history.py END [without-calls] < metrics.txt > history.om

The newest two hours have every series each minute, the 61 days before them what tells of calls, by
one replica: eight days each half hour, counters before that each six hours. Counters grow to what they are by a curve of days and weeks; gauges stay. Each app of the
exposition becomes three, the second one in trouble, and each is seen by two replicas.

With `without-calls` the counters and histograms that `backfill` writes are left out.
"""

import math
import re
import sys

MINUTE, HOUR, DAY = 60, 3600, 86400
APPS = {"shop": (1.0, 1), "clinic": (0.4, 0), "school": (0.15, 1)}  # the size, and whether its API is up
REPLICAS = ("10.0.0.1:10180", "10.0.0.2:10180")
OF_CALLS = ("cometchat_call", "cometchat_part", "cometchat_rec", "cometchat_oldest")
COUNTED = ("cometchat_call", "cometchat_part", "cometchat_recording", "cometchat_unknown", "cometchat_corrections", "cometchat_reconcile")
SAMPLE = re.compile(r"([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$")


def growth(at, begin, end):
    """From 0 to 1, fast by day and on weekdays, slow at night."""
    def area(t):
        day, week = 2 * math.pi * t / DAY, 2 * math.pi * t / (7 * DAY)
        return t - 0.65 * DAY / (2 * math.pi) * math.sin(day) - 0.25 * 7 * DAY / (2 * math.pi) * math.cos(week)
    return (area(at) - area(begin)) / (area(end) - area(begin))


def families(text):
    kinds, samples = {}, {}
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            kinds[name] = kind
        elif found := SAMPLE.match(line):
            name, labels, value = found.groups()
            base = name
            if base not in kinds:
                base = re.sub(r"_(bucket|sum|count)$", "", name)
            samples.setdefault(base, []).append((name, labels or "", float(value)))
    return kinds, samples


def copies(labels):
    """Labels of each app and replica, with the size of the app."""
    for instance in REPLICAS:
        place = f'job="cometchat",instance="{instance}"'
        if 'cometchat_app="demo"' not in labels:
            yield f"{place}{',' if labels else ''}{labels}", 1.0, None
            continue
        for app, (size, _) in APPS.items():
            yield place + "," + labels.replace('cometchat_app="demo"', f'cometchat_app="{app}"'), size, app


def main():
    end = int(sys.argv[1]) // MINUTE * MINUTE
    begin, fine = end - 61 * DAY, end - 2 * HOUR
    kinds, samples = families(sys.stdin.read())
    kinds |= {name: "gauge" for name in ("up", "scrape_duration_seconds", "scrape_samples_scraped")}
    n_samples = sum(map(len, samples.values()))
    samples |= {"up": [("up", "", 1.0)], "scrape_duration_seconds": [("scrape_duration_seconds", "", 0.002)],
                "scrape_samples_scraped": [("scrape_samples_scraped", "", float(n_samples))]}
    out = []
    for family, rows in samples.items():
        kind = kinds[family]
        rising = kind in ("counter", "histogram")
        if rising and sys.argv[2:] and family.startswith(COUNTED):
            continue
        out.append(f"# TYPE {family.removesuffix('_total') if kind == 'counter' else family} {kind}")
        for name, labels, value in rows:
            if kind == "histogram" and 'le="' in labels:
                labels = re.sub(r'le="(\d+)"', r'le="\1.0"', labels)
            old = value > 0 and family.startswith(OF_CALLS)
            long_ago = range(begin, fine - 8 * DAY, 6 * HOUR) if kind == "counter" else ()
            past = [*long_ago, *range(fine - 8 * DAY, fine, HOUR // 2)]
            newest = [*range(fine, end + 1, MINUTE if value else 2 * MINUTE)]
            for text, size, app in copies(labels):
                times = past + newest if old and REPLICAS[0] in text else newest
                last = value * 61 * 4 * size  # the exposition is of six hours
                if app and name == "cometchat_up":
                    value = APPS[app][1]
                lag = app and not APPS[app][1]
                for at in times:
                    if rising:
                        figure = last * growth(at, begin, end)
                        if kind == "counter":
                            figure = math.floor(figure)
                        if family.startswith(("cometchat_api", "process")):
                            figure = value * (at - begin) / (end - begin) * 61 * 4
                    elif name.endswith("timestamp_seconds") and "from" not in name and "reload" not in name:
                        figure = at - (700 if lag else 4)
                        if "oldest" in name:
                            figure = at - 400 - (at + 900) % 5400
                    elif name == "process_start_time_seconds" and "10.0.0.2" in text:
                        figure = value - DAY if at < fine + 3000 else fine + 3000
                    elif name == "cometchat_poll_lag_seconds" and lag:
                        figure = 700 + (at - fine) / 60
                    elif "_open" in name or "_recent_" in name:
                        day = math.cos(2 * math.pi * at / DAY)
                        figure = value * size * (1 - 0.6 * day + 0.1 * math.sin(at / 1700)) // 1
                    else:
                        figure = value
                    out.append(f"{name}{{{text}}} {figure} {at}")
    out.append("# EOF")
    sys.stdout.write("\n".join(out) + "\n")


main()
