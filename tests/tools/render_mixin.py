"""Renders the mixin with what its first argument sets, and prints both files as one JSON object."""

import sys

import _jsonnet

PROGRAM = """
local mixin = (import 'prometheus/mixin/mixin.libsonnet') + { _config+:: %s };
{ rules: mixin.prometheusRules, alerts: mixin.prometheusAlerts }
"""

print(_jsonnet.evaluate_snippet("mixin", PROGRAM % sys.argv[1]))
