"""Two runs of numpy's tests, natively and inside the WASM file, and what explains their differences."""

import collections
import json
import pathlib
import re

HERE = pathlib.Path(__file__).resolve().parent
FAILED = ("failed", "error")


def explanations():
    """[(reason, {pattern: compiled})]; in a pattern * stands for any text."""
    document = json.loads((HERE / "explained.json").read_text())
    return [(entry["reason"], {name: compiled(name) for name in entry["tests"]}) for entry in document]


def compiled(pattern):
    return re.compile(".*".join(map(re.escape, pattern.split("*"))), re.S)


def results(folder, name):
    """{id: (outcome, reason)} of a file's tests."""
    path = (folder / name.replace("/", ".")).with_suffix(".jsonl")
    lines = map(json.loads, path.read_text().splitlines()) if path.exists() else []
    return {line["id"]: (line["outcome"], line["reason"]) for line in lines if "id" in line}


def function_of(test):
    return test.split("[")[0]


class Comparison:
    """`passed`, `skipped` and `failing` are of what ran inside; the latter two map ids to a reason.

    `explained` maps an id that fails to why, `unexplained` to what it says; `stale` lists patterns that are out of date.
    `otherwise` has the tests that pass natively with parameters that are others inside, where a C long has 32 bits.
    """

    def __init__(self, work, names, explained, is_whole):
        self.names, self.rows = names, {}
        self.native_passed, self.passed, self.skipped = set(), set(), {}
        self.failing, self.both_fail, self.otherwise, self.only_inside = {}, {}, set(), set()
        for name in names:
            self.add(name, results(work / "native", name), results(work / "inside", name))
        self.match(explained, is_whole)

    def add(self, name, native, inside):
        row = collections.Counter()
        for outcome, _ in native.values():
            row["native " + ("failed" if outcome in FAILED else outcome)] += 1
        native_passed = {test for test, (outcome, _) in native.items() if outcome == "passed"}
        functions = {function_of(test) for test in inside}
        absent = native_passed - inside.keys()
        otherwise = {test for test in absent if function_of(test) in functions}
        self.otherwise |= otherwise
        self.only_inside |= {test for test in inside.keys() - native.keys() if inside[test][0] == "passed"}
        self.native_passed |= native_passed - otherwise
        for test in absent - otherwise:
            self.failing[test] = "did not run"
            row["failed"] += 1
        for test, (outcome, reason) in inside.items():
            if outcome == "passed":
                self.passed.add(test)
            elif outcome not in FAILED:
                self.skipped[test] = reason
            elif native.get(test, ("",))[0] in FAILED:
                self.both_fail[test] = reason
            else:
                self.failing[test] = reason
            row["failed" if outcome in FAILED else outcome] += 1
        self.rows[name] = row

    def match(self, explained, is_whole):
        """A pattern that matches no test at all is out of date where all tests have run."""
        self.explained, self.stale = {}, []
        for reason, patterns in explained:
            for name, pattern in patterns.items():
                if name.split("::")[0] not in self.names:
                    continue
                hits = [test for test in self.failing if pattern.fullmatch(test)]
                passing = [test for test in self.passed if pattern.fullmatch(test)]
                self.explained.update((test, reason) for test in hits if test not in self.explained)
                if passing:
                    self.stale.append((name, f"passes: {passing[0]}"))
                elif is_whole and not hits:
                    self.stale.append((name, "nothing fails that it matches"))
        self.unexplained = {test: told for test, told in self.failing.items() if test not in self.explained}

    @property
    def share(self):
        return len(self.native_passed & self.passed) / max(1, len(self.native_passed))

    def print_files(self, seconds):
        print(f"{'':<48} {'natively':^24} {'inside':^24} {'seconds':^15}")
        head = f"{'passed':>8}{'failed':>8}{'skipped':>8}"
        print(f"{'file':<48} {head} {head} {'natively':>8}{'inside':>7}")
        total, took = collections.Counter(), collections.Counter()
        for name in self.names:
            total += self.rows[name]
            took.update(seconds[name])
            print(line(name.removeprefix("numpy/").replace("/tests", ""), self.rows[name], seconds[name]))
        print(line("all", total, took))

    def verdict(self, least, left_out):
        """Prints what is wrong and the closing lines; the exit code. `left_out` maps files to a reason."""
        for name, why in left_out.items():
            print(f"left out: {name}: {why}")
        for test, told in sorted(self.unexplained.items()):
            print(f"FAILED inside: {test}\n    {told}")
        for pattern, why in self.stale:
            print(f"STALE in explained.json: {pattern}\n    {why}")
        both = self.native_passed & self.passed
        print(f"pass with parameters of one side only: {len(self.otherwise)} natively, {len(self.only_inside)} inside")
        print(f"of {len(self.native_passed)} others that pass natively {len(both)} pass inside: {100 * self.share:.2f} %")
        if self.share < least:
            print(f"TOO FEW: at least {100 * least:g} % have to")
        wrong = len(self.unexplained) + len(self.stale) + (self.share < least)
        skipped = len(self.skipped) + len(self.explained) + len(self.both_fail) + len(left_out)
        print(f"{len(self.passed)} passed, {wrong} failed, {skipped} skipped")
        return 1 if wrong or not self.passed else 0

    def markdown(self):
        """The table of modules and the one of failures, as docs/numpy.md has them."""
        modules = {}
        for name in self.names:
            modules.setdefault(name.split("/")[1], collections.Counter()).update(self.rows[name])
        titles = ["module", "passed natively", "passed inside", "failed inside", "skipped inside"]
        rows = [f"| {' | '.join(titles)} |", "|---" * len(titles) + "|"]
        total = sum(modules.values(), collections.Counter())
        for module, row in [*sorted(modules.items()), ("all", total)]:
            left_out = row["skipped"] + row["xfailed"]
            rows.append(f"| {module} | {row['native passed']} | {row['passed']} | {row['failed']} | {left_out} |")
        skipped = {test: told for test, told in self.skipped.items() if test in self.native_passed}
        for title, reasons in (("why they fail", self.explained), ("why they are skipped", skipped)):
            rows += ["", f"| tests | {title} |", "|---|---|"]
            counts = collections.Counter(reasons.values()).most_common()
            rows += [f"| {count} | {reason.removeprefix('Skipped: ')} |" for reason, count in counts]
        return "\n".join(rows)


def line(name, row, seconds):
    counts = [row["native passed"], row["native failed"], row["native skipped"] + row["native xfailed"]]
    counts += [row["passed"], row["failed"], row["skipped"] + row["xfailed"]]
    numbers = [f"{count:>8}" for count in counts]
    return (f"{name:<48} {''.join(numbers[:3])} {''.join(numbers[3:])}"
            f" {seconds['native']:>8.0f}{seconds['inside']:>7.0f}")


def print_reasons(comparison):
    skipped = {test: told for test, told in comparison.skipped.items() if test in comparison.native_passed}
    for title, reasons in (("fail inside, as explained", comparison.explained),
                           ("fail natively too", comparison.both_fail),
                           ("pass natively and are skipped inside", skipped)):
        for reason, count in collections.Counter(reasons.values()).most_common():
            print(f"{count:>6} {title}: {reason}")
