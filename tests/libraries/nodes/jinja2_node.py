"""Templates, also asynchronous ones, and an error that names the template's line."""
import jinja2

LIBRARY = "jinja2"
INPUT = [["a", "<b>"], []]
OUTPUT = ["1: a\n2: &lt;b&gt;\n", "nothing\n", "async 3", "TemplateSyntaxError 2"]
TEXT = """{% for item in items -%}
{{ loop.index }}: {{ item }}
{% else -%}
nothing
{% endfor %}"""


class Node:
    def initialize(self):
        self.template = jinja2.Environment(autoescape=True).from_string(TEXT)

    def process(self, item):
        return self.template.render(items=item)

    async def flush(self):
        async def later():
            return 3

        template = jinja2.Environment(enable_async=True).from_string("async {{ later() }}")
        yield await template.render_async(later=later)
        try:
            jinja2.Template("fine\n{% if %}")
        except jinja2.TemplateSyntaxError as error:
            yield f"{type(error).__name__} {error.lineno}"
