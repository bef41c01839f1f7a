"""What one writes in an afternoon to have calls in Prometheus; `peers.py` measures the exporter beside it.

usage: afternoon.py --port PORT [--url BASE_URL] [--interval SECONDS] [--series N]

Reads the list of calls, newest first, until a page holds a call that it knows, and counts every call that is
over once. What it knows is in memory. With `--series` it shows that many series and asks nobody.
"""

import argparse
import itertools
import time

import requests
from prometheus_client import REGISTRY, Counter, Gauge, start_http_server

OVER = {"ended", "unanswered", "rejected", "canceled", "cancelled", "busy"}
BREAKDOWN = ["app", "call_type", "mode", "receiver_type"]
CALLS = Counter("cometchat_calls", "Calls that are over", [*BREAKDOWN, "status"])
AUDIO = Counter("cometchat_call_audio_seconds", "Audio time", BREAKDOWN)
VIDEO = Counter("cometchat_call_video_seconds", "Video time", BREAKDOWN)
PARTICIPANTS = Counter("cometchat_participants", "Participants", BREAKDOWN)
RECORDED = Counter("cometchat_calls_recorded", "Calls with a recording", BREAKDOWN)
UP = Gauge("cometchat_up", "Whether the last poll worked")
known = set()


def count(call):
    breakdown = ("app", call["type"], call["mode"], call["receiverType"])
    CALLS.labels(*breakdown, call["status"]).inc()
    AUDIO.labels(*breakdown).inc(call["totalAudioMinutes"] * 60)
    VIDEO.labels(*breakdown).inc(call["totalVideoMinutes"] * 60)
    PARTICIPANTS.labels(*breakdown).inc(call["totalParticipants"])
    if call["hasRecording"]:
        RECORDED.labels(*breakdown).inc()


def poll(session, url):
    for page in itertools.count(1):
        answer = session.get(f"{url}/calls", params={"page": page, "perPage": 100}, timeout=10)
        answer.raise_for_status()
        body = answer.json()
        new = [call for call in body["data"] if call["sessionId"] not in known]
        for call in new:
            if call["status"] in OVER:
                known.add(call["sessionId"])
                count(call)
        if len(new) < len(body["data"]) or page >= body["meta"]["pagination"]["total_pages"]:
            return


def fill(n_series):
    for collector in set(REGISTRY._collector_to_names):
        if collector is not CALLS:
            REGISTRY.unregister(collector)
    types, modes, receivers = ("audio", "video", "other"), ("call", "meet", "presenter", "other"), ("user", "group")
    apps = (f"app{number:04}" for number in itertools.count())
    series = (one for app in apps for one in itertools.product([app], types, modes, receivers, sorted(OVER)))
    for value, labels in enumerate(itertools.islice(series, n_series)):
        CALLS.labels(*labels).inc(value * 7919 % 99991)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--url")
    parser.add_argument("--interval", type=float, default=30)
    parser.add_argument("--series", type=int)
    given = parser.parse_args()
    if given.series:
        fill(given.series)
    start_http_server(given.port, "127.0.0.1")
    session = requests.Session()
    session.headers["apikey"] = "simulated-key"
    while True:
        if given.url:
            try:
                poll(session, given.url)
                UP.set(1)
            except requests.RequestException:
                UP.set(0)
        time.sleep(given.interval)


if __name__ == "__main__":
    main()
