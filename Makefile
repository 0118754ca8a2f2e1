# The commands of the project; CMake does the work. `make help` lists them.
PREFIX ?= /usr/local
JOBS ?= $(shell nproc)
BUILD = build/native

.DEFAULT_GOAL := build
.PHONY: build wasm component wheel npm demo run test test-page test-wasm test-sandbox test-browser test-hosts test-remote test-numpy-suite test-libraries bench bench-wasm bench-web bench-numpy bench-sandbox bench-media bench-python bench-service lint format coverage \
	fuzz sbom install clean help

build: ## Build the program: build/native/bin/remotemedia
	@JOBS=$(JOBS) tools/build native

wasm: ## Build the WASM files: build/wasm/*.wasm
	@JOBS=$(JOBS) tools/build wasm

run: build ## Build, then run the first example
	@tools/run-example

test: ## Everything that must pass before a change is good
	@tools/test

test-wasm: build wasm ## The WASM files in Node and in wasmtime
	@tools/test "test tools" "cases node" "cases wasmtime" "cases numpy node" "cases numpy snapshot" \
		"cases numpy wasmtime" "e2e wasm" "e2e snapshot" "e2e reactor" "e2e npm"

test-sandbox: build wasm ## Whole runs and single nodes in sandboxes
	@tools/test "test tools" "cases sandbox" "cases nodes" "e2e sandbox"

test-browser: build wasm ## The WASM files in Chromium, in a page and in a Worker
	@tools/test "test tools" "cases browser" "cases numpy browser" "e2e browser"

test-page: build wasm ## The demo page in Chromium and in Firefox
	@deps/install-system test hosts
	@tests/page/run
	@tests/page/run --browser firefox

test-hosts: build component ## The WASM files in all other hosts: Node 20 to 26, Deno, Bun, wazero, wasmi, Firefox, the component
	@tools/test "test tools" "packages of hosts" "cases node-20" "cases node-24" "cases node-26" "cases deno" "cases bun" \
		"cases wazero" "cases numpy wazero" "cases wasmi" "cases component" "cases firefox" "cases numpy firefox" "e2e hosts"

test-remote: build ## A server of two killed in the middle of a run, 100 times with retry and 100 times without
	@RM_ROUNDS=100 tests/service/run --filter test_remote.Losses

test-numpy-suite: build wasm ## All of numpy's own tests inside the WASM file, beside the same natively
	@deps/deps.py --target test ensure
	@tests/numpy/run

test-libraries: build wasm ## Python libraries in nodes, natively and those in pure Python in the WASM file; pip fetches them
	@tests/libraries/run
	@tests/libraries/run --port node
	@tests/libraries/arrays.py --path "$$(tests/libraries/run --install tests/libraries/arrays.txt)"

bench: build ## Measure, beside the peers
	@bench/run

bench-wasm: build wasm ## Measure the WASM files, beside the native program and Pyodide
	@cmake --build $(BUILD) --target bench_spawn >/dev/null
	@bench/wasm/run

bench-web: wasm ## Measure the npm package in Node and Chromium, beside the bare WASM file and Pyodide
	@deps/deps.py --target test ensure playwright-core
	@deps/deps.py --target bench ensure pyodide
	@bench/web/run

bench-numpy: build wasm ## Measure arrays and numpy in the WASM files, beside numpy natively
	@cmake --build $(BUILD) --target bench >/dev/null
	@cmake --build build/wasm --target bench_arrays >/dev/null
	@deps/deps.py --target test ensure numpy-wheel wasmtime
	@bench/numpy/run

bench-sandbox: build wasm ## Measure sandboxes, beside the native program, Python and wasmtime's command
	@cmake --build $(BUILD) --target bench >/dev/null
	@deps/deps.py --target test ensure wasmtime
	@deps/deps.py --target bench ensure wasmtime-cli
	@bench/sandbox/run

bench-media: build wasm ## Measure audio, beside soxr, GStreamer, FFmpeg and libsndfile
	@deps/install-system bench || echo "bench-media: going on without the peers that are missing" >&2
	@cmake --build $(BUILD) --target bench >/dev/null
	@cmake --build build/wasm --target bench_media >/dev/null
	@deps/deps.py --target test ensure soundfile
	@deps/deps.py --target bench ensure soxr-wheel
	@bench/media/run

bench-python: build wheel ## Measure the Python package, beside plain Python
	@deps/install-system bench || echo "bench-python: going on without the peers that are missing" >&2
	@deps/deps.py --target test ensure numpy-wheel
	@deps/deps.py --target bench ensure toolz joblib
	@tests/python/run --pattern test_arrays.py >/dev/null
	@bench/package/run
	@bench/package/wheels --rounds 5

bench-service: build ## Measure `serve`, beside FastAPI in uvicorn
	@deps/install-system bench || echo "bench-service: going on without the peers that are missing" >&2
	@bench/service/run-http

lint: ## Format, clang-tidy, the direction of includes
	@tools/lint

format: ## Format the C files in place
	@deps/install-system lint
	@git ls-files --cached --others --exclude-standard '*.c' '*.h' | xargs clang-format-19 -i

coverage: ## Line coverage of src/ by unit tests and cases
	@tools/coverage

fuzz: ## Any bytes for what reads bytes, a minute a target (FUZZ_SECONDS)
	@fuzz/run

wheel: build ## Build the package for pip, build/wheel/*.whl: for the bundled Python, for all from 3.12 on; after `make wasm` the sandbox's
	@JOBS=$(JOBS) tools/build-wheel
	@JOBS=$(JOBS) tools/build-wheel abi3
	@if [ -f build/wasm/remotemedia_reactor_numpy_snapshot.wasm ]; then JOBS=$(JOBS) tools/build-wheel sandbox; else \
		echo "make wheel: no remotemedia-sandbox without \`make wasm\`"; fi

npm: wasm ## Pack the npm package, with compressed WASM files beside: build/npm/remotemedia-*.tgz
	@tools/npm-package --brotli

demo: wasm ## Serve the demo page at http://127.0.0.1:8000; the first time builds it
	@tools/demo serve

sbom: build ## Write the bills of materials (CycloneDX) of the program and of the WASM files: build/sbom/*.cdx.json
	@mkdir -p build/sbom
	@$(BUILD)/bin/remotemedia version --sbom >build/sbom/remotemedia.cdx.json
	@deps/deps.py --target wasm sbom --of remotemedia-wasm "$$($(BUILD)/bin/remotemedia version | sed -n '1s/.* //p')" >build/sbom/remotemedia-wasm.cdx.json
	@ls build/sbom/*

component: wasm ## Build the program as a component of WASI 0.2: build/wasm/pipeline_executor_wasm.component.wasm
	@tools/component build/wasm/pipeline_executor_wasm.wasm

install: build ## Install under PREFIX
	@cmake --install $(BUILD) --prefix $(abspath $(PREFIX)) >/dev/null
	@echo "installed in $(abspath $(PREFIX)): bin/remotemedia, lib/libremotemedia.{a,so}, include/remotemedia"

clean: ## Remove build/; the dependency cache stays
	@rm -rf build

help: ## This list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 12
