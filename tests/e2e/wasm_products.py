"""Where the WASM files lie: RM_WASM_DIR, or build/wasm."""
import os
import pathlib

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FOLDER = pathlib.Path(os.environ.get("RM_WASM_DIR", ROOT / "build/wasm")).resolve()


def path_of(product):
    path = FOLDER / f"{product}.wasm"
    if not path.is_file():
        raise AssertionError(f"there is no {path}; `make wasm` builds it")
    return path
