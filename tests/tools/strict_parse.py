"""Reads an exposition from standard input with the reference parser of Prometheus.

Fails where the parser does, and where a family has no type, no help or no sample.
"""

import sys

from prometheus_client.parser import text_string_to_metric_families

families = list(text_string_to_metric_families(sys.stdin.read()))
for family in families:
    if family.type == "unknown" or not family.documentation or not family.samples:
        sys.exit(f"{family.name}: a type, a help and a sample are needed")
print(len(families))
