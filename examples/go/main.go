// Runs a WASI file of the project: go run . [-dir GUEST=HOST]... [-cache FOLDER] FILE.wasm ARGS...
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"remotemedia.example/go/wasi"
)

func run() (uint32, error) {
	kept, _ := os.UserCacheDir()
	cache := flag.String("cache", filepath.Join(kept, "remotemedia-go"), "the `folder` that keeps compiled files")
	command := wasi.Command{Dirs: map[string]string{}, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
	flag.Func("dir", "`GUEST=HOST`: the program sees the folder HOST as GUEST", func(text string) error {
		guest, host, found := strings.Cut(text, "=")
		if !found {
			return fmt.Errorf("it takes GUEST=HOST")
		}
		command.Dirs[guest] = host
		return nil
	})
	flag.Parse()
	if flag.NArg() == 0 {
		flag.Usage()
		return 64, nil
	}
	command.Args = flag.Args()[1:]
	ctx := context.Background()
	program, err := wasi.Open(ctx, flag.Arg(0), *cache)
	if err != nil {
		return 66, err
	}
	defer program.Close(ctx)
	code, err := program.Run(ctx, command)
	if err != nil {
		return 70, fmt.Errorf("the program was ended by a trap: %w", err)
	}
	return code, nil
}

func main() {
	code, err := run()
	if err != nil {
		fmt.Fprintf(os.Stderr, "main.go: %v\n", err)
	}
	os.Exit(int(code))
}
