"""Writes the time zones of the package tzdata as a C file: the table that wasm/zones.h declares.

Usage: zones.py OUT.c FOLDER; FOLDER has the files in the format TZif. Zones with the same content share it.
"""
import pathlib
import sys

from c_array import elements


def main(out, folder):
    files = {str(path.relative_to(folder)): path.read_bytes() for path in pathlib.Path(folder).rglob("*") if path.is_file()}
    zones = {name: data for name, data in files.items() if data[:4] == b"TZif"}
    blob, places = bytearray(), {}
    for name in sorted(zones):
        if zones[name] not in places:
            places[zones[name]] = len(blob)
            blob += zones[name]
    table = "".join(f'    {{"{name}", {places[zones[name]]}, {len(zones[name])}}},\n' for name in sorted(zones))
    out = pathlib.Path(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(f'#include "wasm/zones.h"\n\nconst unsigned char rmi_zone_bytes[] = {{\n{elements(blob)}\n}};\n\n'
                   f"const rmi_zone_row rmi_zone_rows[] = {{\n{table}}};\nconst size_t rmi_zone_count = {len(zones)};\n")


main(*sys.argv[1:])
