"""Documents there and back, and the place of an error."""
import yaml

LIBRARY = "pyyaml"
INPUT = ["a: [1, 2.5, null, yes]", "a: [1"]
OUTPUT = [["{a: [1, 2.5, null, true]}\n", {"a": [1, 2.5, None, True]}], 0]


class Node:
    def process(self, item):
        try:
            value = yaml.safe_load(item)
        except yaml.MarkedYAMLError as error:
            return error.problem_mark.line
        return [yaml.safe_dump(value, default_flow_style=True), value]
