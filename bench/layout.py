"""A table of results as text and as Markdown. A result is a dictionary, whose cells `cells` gives, or a heading."""


def as_text(header, results, cells, below):
    lines = [header] + [cells(result) for result in results if isinstance(result, dict)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]

    def laid_out(line):
        return "  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip()

    text = [laid_out(header)]
    for result in results:
        text += ["", result] if isinstance(result, str) else [laid_out(cells(result))]
    return "\n".join([*text, "", *below]) + "\n"


def as_markdown(header, results, cells, below):
    def line(row):
        return "| " + " | ".join(row) + " |"

    text = [line(header), "|---" * len(header) + "|"]
    for result in results:
        text.append(f"| **{result}** " + "|" * len(header) if isinstance(result, str) else line(cells(result)))
    return "\n".join([*text, "", *below]) + "\n"
