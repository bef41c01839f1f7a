"""The pieces that all dashboards share: selectors, panels, variables, the frame of a dashboard."""

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
BLUE, GREEN, YELLOW, ORANGE, RED, GREY = "blue", "green", "yellow", "orange", "red", "#8e8e8e"
# What an outcome means: ended is good, what a person chose is not red.
OUTCOMES = {
    "ended": GREEN, "unanswered": ORANGE, "rejected": YELLOW,
    "canceled": "purple", "busy": BLUE, "other": GREY,
}
EXPORTER = 'job=~"$job", instance=~"$instance"'
APP = EXPORTER + ', cometchat_app=~"$cometchat_app"'
RATE, RANGE = "$__rate_interval", "$__range"


def series(metric, more="", scope=APP):
    return f"{metric}{{{scope}{', ' if more else ''}{more}}}"


# Replicas count the same calls: first what each saw, then the highest, and only then sums.
def seen(function, metric, more="", window=RATE, scope=APP, offset=""):
    return f"max without (instance, pod) ({function}({series(metric, more, scope)}[{window}]{offset}))"


# Recorded series that tell the same as a metric: what precedes `:increase1h`, and the labels beside the app.
HOURLY = {
    "cometchat_calls_total": ("cometchat_app_status:cometchat_calls", "status"),
    "cometchat_participant_entries_total": ("cometchat_app_state:cometchat_participant_entries", "state"),
    **{f"cometchat_calls_{kind}_total": (f"cometchat_app:cometchat_calls_{kind}", "")
       for kind in ("initiated", "failed", "unconnected", "recorded")},
    **{f"cometchat_{whose}_{kind}_seconds_total": (f"cometchat_app:cometchat_{whose}_{kind}_seconds", "")
       for whose in ("call", "participant") for kind in ("audio", "video")},
    **{f"cometchat_call_{what}_seconds_bucket": (f"cometchat_app_le:cometchat_call_{what}_seconds_bucket", "le")
       for what in ("answer", "duration")},
}
# Calls that rang, and those of them that were answered.
ANSWERED = {'mode="call"': "", 'mode="call", status="ended"': 'answered="yes"'}
# No series has this label. So where `source` is `.*`, metrics are read and recorded series are not; where
# it is `.+`, it is the other way round. What is not read costs nothing.
METRIC, RECORD = 'recorded=~"$source"', 'recorded!~"$source"'


def hourly(by, metric, more):
    """The selector of the recorded series that tells the same, if there is one."""
    name, label = HOURLY.get(metric, ("", ""))
    if metric == "cometchat_calls_total" and more in ANSWERED:
        name, label, more = "cometchat_app_answered:cometchat_calls", "", ANSWERED[more]
    elif more and more != f'{label}="ended"':
        return None
    if not name or by not in ("", "cometchat_app", label):
        return None
    return record(f"{name}:increase1h", more)


def record(name, more=""):
    return series(name, f"{RECORD}{', ' if more else ''}{more}", scope='cometchat_app=~"$cometchat_app"')


def summed(by, function, metric, more, window, offset):
    total = f"sum by ({by})" if by else "sum"
    if not (selector := hourly(by, metric, more)):
        return f"{total}{' ' if by else ''}({seen(function, metric, more, window, offset=offset)})"
    total += " " if by else ""
    raw = f"{total}({seen(function, metric, f'{more}, {METRIC}' if more else METRIC, window, offset=offset)})"
    if function == "rate":
        return f"({raw} or {total}(avg_over_time({selector}[{window}]{offset})) / 3600)"
    # Each sample is of one hour, and an hour has twelve of them here.
    return f"({raw} or {total}(sum_over_time({selector}[{window}:5m]{offset})) / 12)"


def increase(by, metric, more="", window=RANGE, offset=""):
    return summed(by, "increase", metric, more, window, offset)


def rate(by, metric, more="", offset=""):
    return summed(by, "rate", metric, more, RATE, offset)


def highest(metric, more=""):
    return f"max without (instance, pod) ({series(metric, more)})"


def quantile(q, metric):
    return f"histogram_quantile({q}, {rate('le', metric + '_bucket')})"


def query(expr, legend="", **more):
    return {"expr": expr, "legendFormat": legend or "__auto", **more}


def now(expr, legend=""):
    return query(expr, legend, instant=True, range=False)


def cell(expr):
    return query(expr, instant=True, range=False, format="table")


def steps(*pairs):
    """Thresholds: the first colour, then (value, colour) upwards."""
    first, *rest = pairs
    values = [{"value": None, "color": first}] + [{"value": v, "color": c} for v, c in rest]
    return {"mode": "absolute", "steps": values}


def override(name, **properties):
    return {
        "matcher": {"id": "byName", "options": name},
        "properties": [{"id": key.replace("__", "."), "value": v} for key, v in properties.items()],
    }


def coloured(colours):
    return [override(n, color={"mode": "fixed", "fixedColor": c}) for n, c in colours.items()]


def panel(kind, title, description, unit, targets, options, custom=None, width=8, height=7, **more):
    defaults = {"unit": unit, "custom": custom or {}, **more.pop("defaults", {})}
    field = {"defaults": defaults, "overrides": more.pop("overrides", [])}
    targets = [
        {"refId": chr(65 + i), "datasource": DATASOURCE, "editorMode": "code", "range": True, **t}
        for i, t in enumerate(targets)
    ]
    return {
        "type": kind, "title": title, "description": description, "datasource": DATASOURCE,
        "gridPos": {"w": width, "h": height}, "targets": targets, "fieldConfig": field,
        "options": options, **more,
    }


def lines(title, description, unit, *targets, bars=False, stack=False, floor=0, calm=False, defaults=None, **more):
    custom = {
        "drawStyle": "bars" if bars else "line", "lineWidth": 1, "showPoints": "never",
        "fillOpacity": 70 if bars else 30 if stack else 8,
        "stacking": {"mode": "normal" if stack else "none", "group": "A"},
        **({"axisSoftMax": 10} if calm else {}),
    }
    options = {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }
    return panel("timeseries", title, description, unit, targets, options, custom,
                 defaults={**({} if floor is None else {"min": floor}), "color": {"mode": "palette-classic"},
                           **(defaults or {})}, **more)


def stat(title, description, unit, *targets, thresholds=None, width=4, height=4, decimals=None,
         mappings=None, **more):
    options = {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "colorMode": "value", "graphMode": "none", "justifyMode": "auto", "textMode": "auto",
        "orientation": "auto",
    }
    defaults = {"color": {"mode": "thresholds"}, "thresholds": thresholds or steps(BLUE),
                "mappings": mappings or []}
    if decimals is not None:
        defaults["decimals"] = decimals
    return panel("stat", title, description, unit, targets, options, width=width, height=height,
                 defaults=defaults, **more)


def heatmap(title, description, metric, **more):
    options = {
        "calculate": False, "cellGap": 1, "yAxis": {"unit": "s", "axisPlacement": "left"},
        "color": {"mode": "scheme", "scheme": "Blues", "steps": 32, "exponent": 0.5, "fill": "blue"},
        "legend": {"show": True}, "tooltip": {"mode": "single", "yHistogram": False},
        "rowsFrame": {"layout": "auto"}, "filterValues": {"le": 1e-9},
    }
    target = query(increase("le", metric + "_bucket", window=RATE), "{{le}}", format="heatmap")
    return panel("heatmap", title, description, "short", [target], options, maxDataPoints=60, **more)


def table(title, description, unit, *targets, sort=None, rename=None, hide=(), order=(), **more):
    steps_ = [{"id": "merge", "options": {}}]
    steps_.append({"id": "organize", "options": {
        "excludeByName": {name: True for name in ("Time", *hide)},
        "indexByName": {name: i for i, name in enumerate(order)},
        "renameByName": rename or {},
    }})
    options = {"showHeader": True, "cellHeight": "sm",
               "sortBy": [{"displayName": sort, "desc": True}] if sort else []}
    custom = {"align": "auto", "minWidth": 70, "cellOptions": {"type": "auto"}}
    return panel("table", title, description, unit, targets, options, custom, transformations=steps_, **more)


def row(title):
    return {"type": "row", "title": title, "collapsed": False, "panels": [], "gridPos": {"w": 24, "h": 1}}


def laid_out(panels):
    """Places panels from left to right; a line is as high as its first panel."""
    x = y = height = 0
    for number, one in enumerate(panels, 1):
        place = one["gridPos"]
        if x + place["w"] > 24:
            x, y = 0, y + height
        if x == 0:
            height = place["h"]
        assert place["h"] == height, one["title"]
        one["id"] = number
        place.update(x=x, y=y)
        x += place["w"]
    return panels


def choice(name, label, metric):
    scope = {"job": "", "instance": '{job=~"$job"}', "cometchat_app": "{" + EXPORTER + "}"}[name]
    text = f"label_values({metric}{scope}, {name})"
    return {
        "name": name, "label": label, "type": "query", "datasource": DATASOURCE, "definition": text,
        "query": {"query": text, "refId": "StandardVariableQuery"}, "refresh": 2, "sort": 1,
        "regex": "", "multi": True, "includeAll": True, "allValue": ".+", "hide": 0, "options": [],
        "current": {"text": "All", "value": "$__all"},
    }


def text_box(name, label, value, description):
    return {"name": name, "label": label, "type": "textbox", "query": value, "hide": 0,
            "description": description, "options": [{"text": value, "value": value, "selected": True}],
            "current": {"text": value, "value": value}}


def annotation(name, colour, expr, title, text):
    return {"name": name, "enable": True, "hide": False, "iconColor": colour, "datasource": DATASOURCE,
            "expr": expr, "step": "1m", "titleFormat": title, "textFormat": text, "useValueForTime": False}


SOURCE = {
    "name": "source", "label": "Read from", "type": "custom", "query": "metrics : .*, recorded series : .+",
    "description": "The recorded series of prometheus/cometchat.rules.yml are quick over weeks of many apps. They "
                   "have no job and no instance, and begin when the rules were loaded.",
    "hide": 0, "multi": False, "includeAll": False,
    "options": [{"text": "metrics", "value": ".*", "selected": True},
                {"text": "recorded series", "value": ".+", "selected": False}],
    "current": {"text": "metrics", "value": ".*"},
}
ANNOTATIONS = [
    annotation("Alerts", RED,
               'max by (alertname, cometchat_app) (ALERTS{alertname=~"CometChat.+", alertstate="firing"})',
               "{{alertname}}", "{{cometchat_app}}"),
    annotation("Restarts of the exporter", BLUE,
               f"changes({series('process_start_time_seconds', scope=EXPORTER)}[{RATE}]) > 0",
               "Exporter restarted", "{{instance}}"),
]


def dashboard(name, title, description, panels, since="now-24h", refresh="1m", variables=()):
    return {
        "uid": f"cometchat-{name}", "title": f"CometChat / {title}", "description": description,
        "tags": ["cometchat"], "editable": False, "graphTooltip": 1, "schemaVersion": 41,
        "timezone": "utc", "refresh": refresh, "time": {"from": since, "to": "now"}, "timepicker": {},
        "fiscalYearStartMonth": 0, "annotations": {"list": ANNOTATIONS},
        "links": [{"title": "CometChat", "type": "dashboards", "tags": ["cometchat"], "url": "",
                   "icon": "external link", "tooltip": "", "asDropdown": False, "targetBlank": False,
                   "includeVars": True, "keepTime": True}],
        "templating": {"list": [
            {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus",
             "regex": "", "refresh": 1, "hide": 0, "multi": False, "includeAll": False, "options": [],
             "current": {"text": "default", "value": "default"}},
            choice("job", "Job", "cometchat_exporter_build_info"),
            choice("instance", "Instance", "cometchat_exporter_build_info"),
            choice("cometchat_app", "App", "cometchat_app_info"),
            *variables,
        ]},
        "panels": laid_out(panels),
    }
