#!/usr/bin/env python3
"""Writes the dashboards beside this file: grafana/generate.py; with --check it only compares."""

import json
import sys
from pathlib import Path

sys.dont_write_bytecode = True
from parts import (
    APP, METRIC, SOURCE, BLUE, EXPORTER, GREEN, GREY, ORANGE, OUTCOMES, RANGE, RED, YELLOW, cell, coloured, dashboard,
    heatmap, highest, increase, lines, now, override, panel, quantile, query, rate, record, row, series,
    stat, steps, table, text_box,
)

GOOD_LOW = steps(GREEN, (0.3, YELLOW), (0.6, RED))
GOOD_HIGH = steps(RED, (0.3, YELLOW), (0.5, GREEN))
NO_OTHER = 'call_type!="other"'
KINDS = ("call_type", "mode", "receiver_type")
KIND_COLOURS = coloured({"audio": BLUE, "video": "purple"})


def ratio(by, part, whole, more_part="", more_whole="", offset=""):
    up, down = (increase(by, m, more, "$__rate_interval", offset)
                for m, more in ((part, more_part), (whole, more_whole)))
    return f"{up} / ({down} > 0)"


def range_ratio(part, whole, more_part="", more_whole=""):
    return f"{increase('', part, more_part)} / ({increase('', whole, more_whole)} > 0)"


def kinds_of(metric, title):
    return [lines(f"{title} by {kind.replace('_', ' ')}", f"{title}, by {kind}, each point over one hour.",
                  "short", query(increase(kind, metric, window="$__rate_interval"), f"{{{{{kind}}}}}"),
                  bars=True, stack=True, interval="1h", height=6,
                  overrides=KIND_COLOURS) for kind in KINDS]


CALLS = dashboard("calls", "Calls", "Do calls work? For those who are on duty.", [
    stat("Calls", "Calls that reached a final status in the selected range.", "locale",
         now(increase("", "cometchat_calls_total")), decimals=0),
    stat("Failure ratio", "Failed calls among all final ones in the selected range. What counts as failed "
         "is count.failure_statuses.", "percentunit",
         now(range_ratio("cometchat_calls_failed_total", "cometchat_calls_total")),
         thresholds=GOOD_LOW, decimals=1),
    stat("Answer rate", "Ended calls among all final ones of mode call, in the selected range. Meetings do "
         "not ring.", "percentunit",
         now(range_ratio("cometchat_calls_total", "cometchat_calls_total", 'mode="call", status="ended"',
                         'mode="call"')), thresholds=GOOD_HIGH, decimals=1),
    stat("Unconnected", "Ended calls that fewer than two people joined, among all ended ones.", "percentunit",
         now(range_ratio("cometchat_calls_unconnected_total", "cometchat_calls_total", "",
                         'status="ended"')),
         thresholds=steps(GREEN, (0.1, YELLOW), (0.25, RED)), decimals=1),
    stat("Open calls", "Calls that ring or go on now.", "locale",
         now(f"sum({highest('cometchat_calls_open')})"), decimals=0),
    stat("Oldest open call", "How long ago the oldest open call began. 0 while none is open.", "s",
         now(f"time() - min({highest('cometchat_oldest_open_call_timestamp_seconds')}) or vector(0)"),
         thresholds=steps(GREEN, (3600, YELLOW), (21600, RED))),
    row("Outcomes"),
    lines("Calls per minute by outcome", "Calls that reached a final status, each counted once.", "cpm",
          query("60 * " + rate("status", "cometchat_calls_total"), "{{status}}"),
          stack=True, overrides=coloured(OUTCOMES), width=12),
    lines("Failure ratio against last week", "Failed calls among all final ones over one hour, and that of the "
          "same hour a week earlier.", "percentunit",
          query(ratio("", "cometchat_calls_failed_total", "cometchat_calls_total"), "now"),
          query(ratio("", "cometchat_calls_failed_total", "cometchat_calls_total", offset=" offset 1w"),
                "a week earlier"),
          interval="1h", overrides=coloured({"now": ORANGE, "a week earlier": GREY}), width=12,
          defaults={"max": 1}),
    lines("Answer rate by type", "Ended calls among all final ones of mode call, over one hour.", "percentunit",
          query(ratio("call_type", "cometchat_calls_total", "cometchat_calls_total",
                      'mode="call", status="ended", call_type!="other"', 'mode="call", call_type!="other"'),
                "{{call_type}}"), interval="1h",
          overrides=KIND_COLOURS, defaults={"max": 1}),
    lines("Calls begun against last week", "Calls and meetings initiated per minute, over one hour.", "cpm",
          query("60 * " + rate("", "cometchat_calls_initiated_total"), "now"),
          query("60 * " + rate("", "cometchat_calls_initiated_total", offset=" offset 1w"),
                "a week earlier"), interval="1h",
          overrides=coloured({"now": BLUE, "a week earlier": GREY})),
    lines("Participants by last state", "Entries of participants per minute by their last state, over one hour.",
          "cpm", query("60 * " + rate("state", "cometchat_participant_entries_total"), "{{state}}"),
          interval="1h", overrides=coloured(OUTCOMES), stack=True),
    row("Ringing and duration"),
    lines("Time until answered", "From initiatedAt to startedAt, calls of mode call, over one hour.", "s",
          *(query(quantile(q, "cometchat_call_answer_seconds"), f"p{int(q * 100)}") for q in (0.5, 0.9, 0.99)),
          interval="1h", overrides=coloured({"p50": GREEN, "p90": YELLOW, "p99": ORANGE})),
    lines("Duration", "From startedAt to endedAt, over one hour.", "s",
          *(query(quantile(q, "cometchat_call_duration_seconds"), f"p{int(q * 100)}") for q in (0.5, 0.9, 0.99)),
          interval="1h", overrides=coloured({"p50": GREEN, "p90": YELLOW, "p99": ORANGE})),
    lines("People per call", "The mean number of distinct people that joined, over one hour.", "short",
          query(f"{rate('call_type', 'cometchat_call_participants_sum', NO_OTHER)} / "
                f"({rate('call_type', 'cometchat_call_participants_count', NO_OTHER)} > 0)",
                "{{call_type}}"), interval="1h", overrides=KIND_COLOURS),
    heatmap("Answer times", "How many calls were answered after how many seconds.",
            "cometchat_call_answer_seconds", width=12, interval="1h"),
    heatmap("Durations", "How many calls lasted how long.",
            "cometchat_call_duration_seconds", width=12, interval="1h"),
    row("Open now"),
    lines("Open calls", "Calls that ring (initiated) or go on (ongoing).", "short",
          query(f"sum by (status) ({highest('cometchat_calls_open')})", "{{status}}"), stack=True,
          overrides=coloured({"ongoing": GREEN, "initiated": YELLOW, "other": GREY})),
    lines("Oldest open call", "The age of the oldest open call of each app.", "s",
          query("time() - min by (cometchat_app) "
                f"({highest('cometchat_oldest_open_call_timestamp_seconds')})", "{{cometchat_app}}")),
    lines("People in open calls", "Distinct people that joined and have not left.", "short",
          query(f"sum({highest('cometchat_participants_open')})", "people")),
    row("Calls that connected fewer than two people"),
    *kinds_of("cometchat_calls_unconnected_total", "Unconnected calls"),
    row("Recent window"),
    lines("Recent calls by status", "Calls begun in the recent window (an hour, unless configured), as they "
          "are now.", "short", query(f"sum by (status) ({highest('cometchat_recent_calls', METRIC)}) or sum by (status) "
                                        f"({record('cometchat_app_status:cometchat_recent_calls:max')})", "{{status}}"),
          stack=True, overrides=coloured({**OUTCOMES, "ongoing": "light-green", "initiated": "light-blue"})),
    lines("Recent minutes", "Audio and video time of the calls of the recent window.", "short",
          *(query(f"sum({highest(f'cometchat_recent_{kind}_seconds')}) / 60", kind)
            for kind in ("audio", "video")), overrides=KIND_COLOURS),
    lines("Recent participants and recordings", "Participants and recorded calls of the recent window.", "short",
          query(f"sum({highest('cometchat_recent_participants')})", "participants"),
          query(f"sum({highest('cometchat_recent_recorded_calls')})", "recorded calls")),
], variables=[SOURCE])

AUDIO, VIDEO = (increase("", f"cometchat_participant_{k}_seconds_total") + " / 60" for k in ("audio", "video"))
USED = f"({AUDIO} + {VIDEO})"
# The share of the month that the range covers; the range starts with the month.
PACE = "($__range_s / 86400 / scalar(days_in_month(vector(time()))))"
COST = f"({AUDIO} * $audio_price + {VIDEO} * $video_price)"
EARLIER = " + ".join(increase("", f"cometchat_participant_{k}_seconds_total", offset=" offset 4w") + " / 60"
                     for k in ("audio", "video"))


def per_day(metric, by="", factor=""):
    return rate(by, metric) + f" * 86400{factor}"


DAY = {"bars": True, "interval": "1d", "stack": True}
USAGE = dashboard("usage", "Usage and billing",
                  "What is used, and what will it cost? The range is the month so far; keep it so for the forecast.", [
    stat("User-minutes", "Audio and video time of all participants in the range, the unit that "
         "CometChat bills in.", "locale", now(USED), decimals=0),
    stat("Of the quota", "User-minutes of the range against the quota above.", "percentunit",
         now(f"{USED} / $quota"), thresholds=steps(GREEN, (0.8, YELLOW), (1, RED)), decimals=1),
    stat("Month, forecast", "The same pace to the end of the month, in user-minutes. True only "
         "while the range starts with the month.", "locale", now(f"{USED} / {PACE}"), decimals=0),
    stat("Quota, forecast", "The forecast against the quota.", "percentunit",
         now(f"{USED} / {PACE} / $quota"), thresholds=steps(GREEN, (0.9, YELLOW), (1, RED)), decimals=1),
    stat("Cost so far", "User-minutes at the prices above, in your currency. CometChat's own rounding is not "
         "known.", "locale", now(COST), decimals=2),
    stat("Cost, forecast", "The cost at the same pace to the end of the month, in your currency.", "locale",
         now(f"{COST} / {PACE}"), decimals=2),
    row("Minutes"),
    lines("User-minutes per day", "Time of all participants. Each bar is one day (UTC) and stands at its end.",
          "short", *(query(per_day(f"cometchat_participant_{k}_seconds_total", factor=" / 60"), k)
                 for k in ("audio", "video")), width=12, overrides=KIND_COLOURS, **DAY),
    lines("Call minutes per day", "By the calls' own totals. Each bar is one day (UTC) and stands at its end.",
          "short", *(query(per_day(f"cometchat_call_{k}_seconds_total", factor=" / 60"), k)
                 for k in ("audio", "video")), width=12, overrides=KIND_COLOURS, **DAY),
    stat("Audio, user-minutes", "Audio time of all participants in the range.", "locale", now(AUDIO), decimals=0, width=6),
    stat("Video, user-minutes", "Video time of all participants in the range.", "locale", now(VIDEO), decimals=0, width=6),
    stat("Against four weeks earlier", "User-minutes of the range, less those of the same weekdays four weeks "
         "earlier, as a share of the latter.", "percentunit", now(f"{USED} / ({EARLIER} > 0) - 1"), width=6,
         decimals=1),
    stat("User time unknown", "Calls that lasted but list no participants: their user time is in no bill here.",
         "locale", now(increase("", "cometchat_calls_without_participants_total")), width=6, decimals=0,
         thresholds=steps(GREEN, (1, YELLOW))),
    row("Month against month"),
    lines("Day by day against four weeks earlier", "User-minutes per day, and those of the same weekday four weeks "
          "earlier.", "short",
          *(query(" + ".join("1440 * " + rate("", f"cometchat_participant_{k}_seconds_total", offset=offset)
                             for k in ("audio", "video")), legend)
            for offset, legend in (("", "now"), (" offset 4w", "four weeks earlier"))), interval="1d", width=12,
          overrides=coloured({"now": BLUE, "four weeks earlier": GREY})),
    panel("barchart", "Busiest hours of the day", "Calls begun in each hour of the day (UTC), summed over the range.",
          "short", [{**cell(
              "sum by (hour) (sum_over_time((count_values(\"hour\", hour(vector(time()))) * on () group_left () "
              f"(3600 * {rate('', 'cometchat_calls_initiated_total')}))[{RANGE}:1h]))")}],
          {"xField": "hour", "orientation": "vertical", "showValue": "never", "stacking": "none",
           "groupWidth": 0.8, "barWidth": 0.9, "xTickLabelRotation": 0,
           "legend": {"displayMode": "list", "placement": "bottom", "showLegend": False, "calcs": []},
           "tooltip": {"mode": "single", "sort": "none"}},
          {"fillOpacity": 70, "lineWidth": 1}, width=12, interval="1h",
          transformations=[
              {"id": "convertFieldType", "options": {"fields": {}, "conversions": [
                  {"targetField": "hour", "destinationType": "number"}]}},
              {"id": "sortBy", "options": {"fields": {}, "sort": [{"field": "hour"}]}},
              {"id": "convertFieldType", "options": {"fields": {}, "conversions": [
                  {"targetField": "hour", "destinationType": "string"}]}},
              {"id": "organize", "options": {"excludeByName": {"Time": True}, "indexByName": {},
                                             "renameByName": {"Value": "calls"}}}],
          defaults={"color": {"mode": "fixed", "fixedColor": BLUE}, "min": 0}),
    row("Calls, participants, recordings"),
    lines("Calls per day by type", "Calls and meetings begun. Each bar is one day (UTC) and stands at its end.",
          "short", query(per_day("cometchat_calls_initiated_total", "call_type"), "{{call_type}}"),
          overrides=KIND_COLOURS, **DAY),
    lines("Participants per day", "Entries of participants, each device on its own.", "short",
          query(per_day("cometchat_participants_total"), "participants"), **DAY),
    lines("Recordings per day", "Recordings and transcribed calls. Each bar is one day (UTC).", "short",
          query(per_day("cometchat_recordings_total"), "recordings"),
          query(per_day("cometchat_calls_transcribed_total"), "transcribed calls"),
          bars=True, interval="1d"),
    stat("Recorded calls", "Calls of the range with a recording.", "locale",
         now(increase("", "cometchat_calls_recorded_total")), width=8, decimals=0),
    stat("Recordings", "Recordings of the calls of the range.", "locale",
         now(increase("", "cometchat_recordings_total")), width=8, decimals=0),
    stat("Recorded hours", "Length of the recordings, in hours.", "locale",
         now(increase("", "cometchat_recording_seconds_total") + " / 3600"), width=8, decimals=1),
], since="now/M", refresh="15m", variables=[
    SOURCE,
    text_box("quota", "Quota (user-minutes a month)", "10000", "User-minutes that your plan holds."),
    text_box("audio_price", "Audio price", "0.001", "Price of one user-minute of audio: an example, set yours."),
    text_box("video_price", "Video price", "0.004", "Price of one user-minute of video: an example, set yours."),
])

YES_NO = [{"type": "value", "options": {"0": {"text": "no", "color": RED}, "1": {"text": "yes", "color": GREEN}}}]
BAD_AT_0 = steps(RED, (1, GREEN))
NONE_IS_GOOD = steps(GREEN, (1, YELLOW))


def lowest(metric, scope=APP):
    return f"min({series(metric, scope=scope)})"


def own(metric):
    return series(metric, scope=EXPORTER)


EXPORTER_BOARD = dashboard("exporter", "Exporter and API", "Can the figures be trusted? For who runs the exporter.", [
    stat("API is read", "Whether the newest try to read the newest calls succeeded, for every app.", "short",
         now(lowest("cometchat_up")), mappings=YES_NO, thresholds=BAD_AT_0),
    stat("State is kept", "Whether the newest commit to the state succeeded. While not, nothing new counts.", "short",
         now(lowest("cometchat_state_writable", EXPORTER)), mappings=YES_NO, thresholds=BAD_AT_0),
    stat("Config is read", "Whether the newest try to read the configuration succeeded.", "short",
         now(lowest("cometchat_config_last_reload_successful", EXPORTER)), mappings=YES_NO, thresholds=BAD_AT_0),
    stat("Worst lag", "How far the app that is most behind is behind the API.", "s",
         now(f"max({series('cometchat_poll_lag_seconds')})"), thresholds=steps(GREEN, (300, YELLOW), (900, RED)),
         decimals=0),
    stat("Last success", "Since the newest calls were last read, for the app where it is longest ago.", "s",
         now(f"time() - {lowest('cometchat_last_success_timestamp_seconds')}"),
         thresholds=steps(GREEN, (300, YELLOW), (900, RED)), decimals=0),
    stat("Polls every", "The configured time between polls.", "s",
         now(lowest("cometchat_poll_interval_seconds", EXPORTER))),
    row("Freshness"),
    lines("Lag", "The API's clock less the time up to which every call has been seen.", "s",
          query(f"max by (cometchat_app) ({series('cometchat_poll_lag_seconds')})", "{{cometchat_app}}")),
    lines("Covered until, ago", "How long ago the time lies up to which every call has been seen.", "s",
          query(f"time() - max by (cometchat_app) ({series('cometchat_covered_until_timestamp_seconds')})",
                "{{cometchat_app}}")),
    lines("Time of a poll", "How long the newest poll of the API took.", "s",
          query(f"max by (cometchat_app) ({series('cometchat_poll_duration_seconds')})", "{{cometchat_app}}")),
    row("Requests"),
    lines("Request budget used", "Requests of the busiest replica as a share of the budget that it lets itself use.",
          "percentunit",
          query(f"max by (cometchat_app) (60 * sum by (instance, cometchat_app) (rate({series('cometchat_api_requests_total')}"
                f"[$__rate_interval])) / sum by (instance, cometchat_app) ({series('cometchat_api_budget_requests_per_minute')}))",
                "{{cometchat_app}}")),
    lines("API limit left", "What is left of the API's limit, your own use of the API included.", "percentunit",
          query(f"min by (cometchat_app) ({series('cometchat_api_rate_limit_remaining')} "
                f"/ {series('cometchat_api_rate_limit')})", "{{cometchat_app}}"), defaults={"max": 1}),
    lines("Waiting for the budget", "The share of time that polls waited for the request budget.", "percentunit",
          query(f"max by (cometchat_app) (rate({series('cometchat_api_budget_wait_seconds_total')}[$__rate_interval]))",
                "{{cometchat_app}}")),
    lines("Requests by code", "Requests per minute by HTTP status, or by why there was no answer.", "reqpm",
          query(f"60 * sum by (code) (rate({series('cometchat_api_requests_total')}[$__rate_interval])) > 0", "{{code}}"),
          stack=True, overrides=[
              *coloured({"200": GREEN, "404": GREY}),
              {"matcher": {"id": "byRegexp", "options": "/^(429|5..|timeout|connect|body|40[13])$/"},
               "properties": [{"id": "color", "value": {"mode": "fixed",
                                                        "fixedColor": RED}}]}]),
    lines("API errors", "Answers with an error per minute, by error.code. Codes that never came are left out.", "reqpm",
          query(f"60 * sum by (error) (rate({series('cometchat_api_errors_total')}[$__rate_interval])) > 0 "
                "or on () vector(0)", "{{error}}"),
          overrides=[override("Value", displayName="none", color={"mode": "fixed", "fixedColor": GREEN})]),
    lines("API latency", "Time of a request until its answer was read.", "s",
          *(query(f"histogram_quantile({q}, sum by (le) "
                  f"(rate({series('cometchat_api_request_duration_seconds_bucket')}[$__rate_interval])))",
                  f"p{int(q * 100)}") for q in (0.5, 0.9, 0.99)),
          overrides=coloured({"p50": GREEN, "p90": YELLOW, "p99": ORANGE})),
    row("What did not fit"),
    lines("Invalid rows", "Rows of the API that could not be read in whole or in part, in the range of a point.", "short",
          query(increase("reason", "cometchat_records_invalid_total", window="$__rate_interval"), "{{reason}}"),
          bars=True, stack=True, calm=True),
    lines("Corrections", "Values that the API lowered or changed after they were counted.", "short",
          query(increase("cometchat_app", "cometchat_corrections_total", window="$__rate_interval"), "{{cometchat_app}}"),
          bars=True, stack=True, calm=True),
    lines("Late calls and changes", "Calls and values that a later reading of a page had to add or change.", "short",
          query(increase("cometchat_app", "cometchat_reconcile_differences_total", window="$__rate_interval"), "{{cometchat_app}}"),
          bars=True, stack=True, calm=True),
    stat("Unknown words", "Calls with a word that this version does not know, in the range.", "locale",
         now(increase("", "cometchat_unknown_values_total")), thresholds=NONE_IS_GOOD, width=6, decimals=0),
    stat("Calls given up", "Calls still open after max_open, in the range.", "locale",
         now(increase("", "cometchat_calls_abandoned_total")), thresholds=NONE_IS_GOOD, width=6, decimals=0),
    stat("Walks cut", "Walks through the list that were cut at the cap on pages, in the range.", "locale",
         now(increase("", "cometchat_pages_truncated_total")), thresholds=NONE_IS_GOOD, width=6, decimals=0),
    stat("Pollers restarted", "Times that the polling of an app was started again, in the range.", "locale",
         now(increase("", "cometchat_app_restarts_total")), thresholds=NONE_IS_GOOD, width=6, decimals=0),
    row("State and process"),
    lines("State size", "Size of the state: of its file, or of what is kept in memory.", "bytes",
          query(own("cometchat_state_size_bytes"), "{{instance}}")),
    lines("Time of a commit", "How long the newest commit to the state took.", "s",
          query(own("cometchat_state_commit_duration_seconds"), "{{instance}}")),
    lines("Commits that failed", "Commits to the state that failed.", "short",
          query(f"increase({own('cometchat_state_commit_failures_total')}[$__rate_interval])", "{{instance}}"),
          bars=True, calm=True),
    lines("Tracked calls", "Calls that the exporter knows because they may still change.", "short",
          query(f"max by (cometchat_app) ({series('cometchat_tracked_calls')})", "{{cometchat_app}}")),
    lines("Clock skew", "Local clock less the clock of the API.", "s",
          query(f"max by (cometchat_app) ({series('cometchat_api_clock_skew_seconds')})", "{{cometchat_app}}"),
          floor=None),
    lines("Memory", "Resident memory of the exporter.", "bytes",
          query(own("process_resident_memory_bytes"), "{{instance}}")),
    lines("CPU", "Processor time, as a share of one core.", "percentunit",
          query(f"rate({own('process_cpu_seconds_total')}[$__rate_interval])", "{{instance}}"), width=6),
    lines("Open files", "File descriptors in use, as a share of the limit.", "percentunit",
          query(f"{own('process_open_fds')} / {own('process_max_fds')}", "{{instance}}"), width=6),
    lines("Time of a scrape", "How long Prometheus waited for /metrics.", "s",
          query(own("scrape_duration_seconds"), "{{instance}}"), width=6),
    lines("Samples of a scrape", "What one scrape costs Prometheus.", "short",
          query(own("scrape_samples_scraped"), "{{instance}}"), width=6),
    table("Exporters", "What runs where, and since when it runs with its present configuration.", "short",
          cell(f"max by (instance, version, revision) ({own('cometchat_exporter_build_info')})"),
          cell(f"max by (instance) (time() - {own('process_start_time_seconds')})"),
          cell(f"max by (instance) (time() - {own('cometchat_config_last_reload_success_timestamp_seconds')})"),
          hide=("Value #A",), rename={"Value #B": "runs for", "Value #C": "configured"},
          overrides=[override("runs for", unit="s"), override("configured", unit="s")],
          width=12, height=6),
    table("Apps", "What is configured, and from when calls count.", "short",
          cell(f"max by (cometchat_app, app_id, api_region) ({series('cometchat_app_info')})"),
          cell(f"1000 * max by (cometchat_app) ({series('cometchat_count_from_timestamp_seconds')})"),
          hide=("Value #A",), rename={"Value #B": "counts from", "cometchat_app": "app"},
          order=("cometchat_app", "app_id", "api_region", "Value #B"),
          overrides=[override("counts from", unit="dateTimeAsIso")], width=12, height=6),
])

BY_APP = "cometchat_app"
CALLS_OF = increase(BY_APP, "cometchat_calls_total")
FAILED = f"{increase(BY_APP, 'cometchat_calls_failed_total')} / ({CALLS_OF} > 0)"
UP = f"max by (cometchat_app) ({series('cometchat_up')})"
LAG = f"min by (cometchat_app) ({series('cometchat_poll_lag_seconds')})"
TROUBLE = f"100 * (1 - {UP}) + 100 * clamp_max({LAG} / 900, 1) + 100 * ({FAILED} or 0 * {UP})"
MINUTES = "(" + " + ".join(increase(BY_APP, f"cometchat_participant_{k}_seconds_total") for k in ("audio", "video")) + ") / 60"


def gauge_cell(colours, **more):
    return {"custom__cellOptions": {"type": "color-text"}, "thresholds": colours,
            "color": {"mode": "thresholds"}, **more}


TO = "?var-cometchat_app=${__value.raw}&${datasource:queryparam}&${job:queryparam}&${source:queryparam}&${__url_time_range}"
APP_LINKS = [{"title": title, "url": f"/d/cometchat-{name}{TO}", "targetBlank": False}
             for title, name in (("Calls", "calls"), ("Usage and billing", "usage"), ("Exporter and API", "exporter"))]
FLEET = dashboard("fleet", "Fleet", "All apps, those in trouble first. For who runs many.", [
    stat("Apps", "Apps that are polled.", "short", now(f"count({UP})"), decimals=0),
    stat("Apps in trouble", "Apps whose trouble exceeds 100.", "short", now(f"count({TROUBLE} > 100) or vector(0)"),
         thresholds=steps(GREEN, (1, RED)), decimals=0),
    stat("API not readable", "Apps whose newest calls cannot be read by any replica.", "short",
         now(f"count({UP} == 0) or vector(0)"), thresholds=steps(GREEN, (1, RED)), decimals=0),
    stat("Calls", "Calls of all apps in the range.", "locale", now(f"sum({CALLS_OF})"), decimals=0),
    stat("User-minutes", "Audio and video time of all participants of all apps in the range.", "locale",
         now(f"sum({MINUTES})"), decimals=0),
    stat("Worst lag", "How far the app that is most behind is behind the API.", "s", now(f"max({LAG})"),
         thresholds=steps(GREEN, (300, YELLOW), (900, RED)), decimals=0),
    table("Apps, worst first", "Trouble: 100 while the API cannot be read, up to 100 for a lag of 15 minutes, and the "
          "percentage of failed calls. A click on the app leads to its dashboards.", "short",
          cell(TROUBLE), cell(UP), cell(FAILED), cell(LAG), cell(CALLS_OF), cell(MINUTES),
          sort="trouble", rename={"cometchat_app": "app", "Value #A": "trouble", "Value #B": "API is read",
                                  "Value #C": "failed", "Value #D": "lag", "Value #E": "calls",
                                  "Value #F": "user-minutes"},
          order=("cometchat_app", "Value #A", "Value #B", "Value #C", "Value #D", "Value #E", "Value #F"),
          overrides=[
              override("app", links=APP_LINKS),
              override("trouble", **gauge_cell(steps(GREEN, (60, YELLOW), (100, RED)), decimals=0)),
              override("API is read", mappings=YES_NO, **gauge_cell(BAD_AT_0)),
              override("failed", **gauge_cell(GOOD_LOW, unit="percentunit", decimals=1)),
              override("lag", **gauge_cell(steps(GREEN, (300, YELLOW), (900, RED)), unit="s", decimals=0)),
              override("calls", unit="locale", decimals=0), override("user-minutes", unit="locale", decimals=0)],
          width=24, height=10),
    lines("Calls per minute, the ten busiest apps", "Calls that reached a final status, over one hour.", "cpm",
          query(f"60 * topk(10, {rate(BY_APP, 'cometchat_calls_total')})", "{{cometchat_app}}"),
          interval="1h", width=12),
    lines("Failure ratio, the ten worst apps", "Failed calls among all final ones, over one hour.", "percentunit",
          query(f"topk(10, {ratio(BY_APP, 'cometchat_calls_failed_total', 'cometchat_calls_total')})", "{{cometchat_app}}"),
          interval="1h", width=12, defaults={"max": 1}),
], variables=[SOURCE])

BOARDS = {"calls": CALLS, "usage": USAGE, "exporter": EXPORTER_BOARD, "fleet": FLEET}


def main():
    stale = []
    for name, board in BOARDS.items():
        path = Path(__file__).parent / f"{name}.json"
        text = json.dumps(board, indent=2) + "\n"
        if "--check" in sys.argv[1:]:
            if not path.exists() or path.read_text() != text:
                stale.append(path.name)
        else:
            path.write_text(text)
    if stale:
        sys.exit(f"not what grafana/generate.py writes; run it: {' '.join(stale)}")


main()
