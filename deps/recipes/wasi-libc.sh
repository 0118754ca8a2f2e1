#!/bin/sh
# The sysroot with its compiler: bin/wasm-cc compiles and links for it, with the instructions that every host has.
# All that ends in one WASM file is compiled by this one command.
set -eu
mv usr/include usr/lib "$OUT/"
mkdir "$OUT/bin"
cat >"$OUT/bin/wasm-cc" <<'END'
#!/bin/sh
exec clang-19 --target=wasm32-wasi --sysroot="$(dirname "$(dirname "$0")")" \
    -mbulk-memory -msign-ext -mnontrapping-fptoint -ffp-contract=off "$@"
END
chmod 755 "$OUT/bin/wasm-cc"
echo 'int main(void) { return 0; }' >probe.c
"$OUT/bin/wasm-cc" probe.c -o probe.wasm
