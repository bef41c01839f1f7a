"""Reads an exposition from standard input with the reference parser of Prometheus.

The argument `openmetrics` says that it is in that format, else it is in 0.0.4. Fails where the
parser does, and where a family has no type, no help or no sample.
"""

import sys

from prometheus_client import parser
from prometheus_client.openmetrics import parser as openmetrics_parser

reader = openmetrics_parser if sys.argv[1:] == ["openmetrics"] else parser
families = list(reader.text_string_to_metric_families(sys.stdin.read()))
for family in families:
    if family.type == "unknown" or not family.documentation or not family.samples:
        sys.exit(f"{family.name}: a type, a help and a sample are needed")
print(len(families))
