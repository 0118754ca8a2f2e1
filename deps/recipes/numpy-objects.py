#!/usr/bin/env python3
"""What of numpy's build goes into libnumpy.a: targets.txt for ninja; with --archive, the archive and the modules' table.

The modules that only numpy's own tests use are an archive beside it, libnumpy_tests.a, with a table that has all.

mtrand has its own copy of the distributions, compiled for old streams, with the names and not the signatures of the
others: its objects are compiled again with those names prefixed.
"""
import argparse
import json
import pathlib
import re
import subprocess

FOR_TESTS = ("_tests", "_simd")
MTRAND = "numpy/random/mtrand"


def modules(build):
    """{module: [its objects and static libraries]}, as the build file links the shared modules."""
    text = (build / "build.ninja").read_text().replace("$\n", "")
    found = {}
    for out, inputs in re.findall(r"^build ([^:\n ]+\.so): \S*LINKER\S* ([^\n]*)$", text, re.M):
        files = inputs.split("||")[0].replace("|", " ").split()
        found[out.split(".")[0]] = [file for file in files if file.endswith((".o", ".a")) and not file.startswith("/")]
    return found


def objects_of(build, file):
    """An object, or the objects a static library is made of."""
    if file.endswith(".o"):
        return [file]
    text = (build / "build.ninja").read_text().replace("$\n", "")
    inputs = re.search(rf"^build {re.escape(file)}: \S+ ([^\n]*)$", text, re.M)[1]
    return [found for part in inputs.split("||")[0].split() if part.endswith((".o", ".a"))
            for found in objects_of(build, part)]


def rename_mtrand(build, nm):
    """Compiles mtrand's objects again, with a prefix before each name its copies of the distributions define."""
    own = [file for file in modules(build)[MTRAND] if file.endswith(".o")]
    copies = [file for file in own if "pyx" not in file]
    names = subprocess.run([nm, "--defined-only", "--extern-only", "-j", *copies], cwd=build, check=True,
                           capture_output=True, text=True).stdout.split()
    names = sorted({name for name in names if re.fullmatch(r"\w+", name)})
    header = build / "mtrand_names.h"
    header.write_text("".join(f"#define {name} mtrand_{name}\n" for name in names))
    commands = json.loads(subprocess.run(["ninja", "-t", "compdb"], cwd=build, check=True, capture_output=True).stdout)
    for entry in commands:
        if entry["output"] in own:
            subprocess.run(f"{entry['command']} -include {header.resolve()}", shell=True, cwd=build, check=True)


def table(names):
    """X(the module's name, its function) for each."""
    rows = (f'X("{name.replace("/", ".")}", PyInit_{name.rsplit("/")[-1]})\n' for name in sorted(names))
    return "/* The extension modules in libnumpy.a. */\n" + "".join(rows)


def objects_of_modules(build, modules_files):
    files = dict.fromkeys(file for parts in modules_files for file in parts)
    return list(dict.fromkeys(part for file in files for part in objects_of(build, file)))


def add_archive(build, options, name, objects):
    subprocess.run([options.archive, "qcD", (options.out / "lib" / name).resolve(), *objects], cwd=build, check=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--archive")
    parser.add_argument("--nm")
    parser.add_argument("--out", type=pathlib.Path)
    options = parser.parse_args()
    build, found = options.build, modules(options.build)
    files = dict.fromkeys(file for parts in found.values() for file in parts)
    if not options.archive:
        (build / "targets.txt").write_text("\n".join(files) + "\n")
        return
    rename_mtrand(build, options.nm)
    tests = [name for name in found if name.endswith(FOR_TESTS)]
    kept = objects_of_modules(build, [found[name] for name in found if name not in tests])
    # lapack_lite's own objects are in _umath_linalg too.
    repeated = [file for file in kept if "/lapack_lite." in file and not file.endswith("lapack_litemodule.c.o")]
    kept = [file for file in kept if file not in repeated] + ["numpy-fenv.o", "numpy-throw.o"]
    add_archive(build, options, "libnumpy.a", kept)
    there = {pathlib.Path(file).name for file in kept}
    for_tests = objects_of_modules(build, [found[name] for name in tests])
    add_archive(build, options, "libnumpy_tests.a", [file for file in for_tests if pathlib.Path(file).name not in there])
    (options.out / "include/numpy_modules.h").write_text(table(found.keys() - set(tests)))
    (options.out / "include/tests/numpy_modules.h").write_text(table(found))
    print(f"{len(kept)} objects, {len(found)} modules; left out {len(repeated)} that are repeated")


main()
