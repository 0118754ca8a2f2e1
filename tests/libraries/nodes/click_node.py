"""A command line in a node: what it prints, its exit code, its errors."""
import click
from click.testing import CliRunner

LIBRARY = "click"
INPUT = [["--count", "2", "hi"], ["--count", "x", "hi"], []]
OUTPUT = [[0, "hi\nhi\n"], [2, "Error: Invalid value for '--count': 'x' is not a valid integer."], [2, "Error: Missing argument 'WORD'."]]
WASM = True


@click.command()
@click.option("--count", default=1)
@click.argument("word")
def say(count, word):
    for _ in range(count):
        click.echo(word)


class Node:
    def process(self, item):
        done = CliRunner().invoke(say, item)
        return [done.exit_code, done.output if done.exit_code == 0 else done.output.splitlines()[-1]]
