"""Holds configuration files against the JSON Schema on standard input.

Ends with 0 if those named after --valid fit and those after --invalid do not.
"""

import json
import sys

import jsonschema
import yaml


class Loader(yaml.SafeLoader):
    """Reads times as the text that they are, as JSON does."""


Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}

schema = json.load(sys.stdin)
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
wanted, wrong = None, []
for word in sys.argv[1:]:
    if word.startswith("--"):
        wanted = word == "--valid"
        continue
    with open(word, encoding="utf-8") as file:
        errors = [error.message for error in validator.iter_errors(yaml.load(file, Loader))]
    if wanted == bool(errors):
        wrong.append(f"{word}: {errors or 'fits, and should not'}")
if wrong:
    sys.exit("\n".join(wrong))
