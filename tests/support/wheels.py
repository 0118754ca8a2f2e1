"""Wheels for tests of `remotemedia vendor`, and the environment in which pip finds them and nothing else."""

import base64
import hashlib
import pathlib
import zipfile


def write_wheel(folder, name, version, files, needs=(), tag="py3-none-any"):
    """NAME-VERSION-TAG.whl with `files` {name: text}; `needs` are its requirements."""
    info = f"{name}-{version}.dist-info"
    requirements = "".join(f"Requires-Dist: {need}\n" for need in needs)
    everything = {**files, f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requirements}",
                  f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: {tag}\n"}
    path = pathlib.Path(folder) / f"{name}-{version}-{tag}.whl"
    record = ""
    with zipfile.ZipFile(path, "w") as wheel:
        for file, text in everything.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            record += f"{file},sha256={digest},{len(text.encode())}\n"
            wheel.writestr(file, text)
        wheel.writestr(f"{info}/RECORD", record + f"{info}/RECORD,,\n")
    return path


def wheel_of(tree, folder):
    """The wheel that was unpacked as `tree`."""
    info = next(tree.glob("*.dist-info"))
    tag = next(line[5:] for line in (info / "WHEEL").read_text().splitlines() if line.startswith("Tag: "))
    path = pathlib.Path(folder) / f"{info.name.removesuffix('.dist-info')}-{tag}.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for file in sorted(tree.rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                wheel.write(file, file.relative_to(tree))
    return path


def only_from(folder):
    """Variables with which pip asks no index."""
    return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder), "PIP_CONFIG_FILE": "/dev/null"}
