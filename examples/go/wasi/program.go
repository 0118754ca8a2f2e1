// Package wasi runs the project's WASI files in this process, with wazero.
package wasi

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"
)

// Program is a compiled file. Each run of it is an instance of its own.
type Program struct {
	runtime  wazero.Runtime
	compiled wazero.CompiledModule
}

// Command is what one run is given.
type Command struct {
	Args           []string          // without the program's name
	Env            map[string]string // all variables that it sees
	Dirs           map[string]string // guest's name: folder of this machine
	Stdin          io.Reader
	Stdout, Stderr io.Writer
}

// Open compiles a file; the folder cache keeps the result for the next process. Close it when it has run.
func Open(ctx context.Context, file, cache string) (*Program, error) {
	binary, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	compilations, err := wazero.NewCompilationCacheWithDir(cache)
	if err != nil {
		return nil, err
	}
	runtime := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCompilationCache(compilations))
	if _, err = wasi_snapshot_preview1.Instantiate(ctx, runtime); err != nil {
		return nil, err
	}
	compiled, err := runtime.CompileModule(ctx, binary)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return &Program{runtime, compiled}, nil
}

func (p *Program) Close(ctx context.Context) error {
	return p.runtime.Close(ctx)
}

// Run returns the program's exit code; an error is a trap.
func (p *Program) Run(ctx context.Context, command Command) (uint32, error) {
	// Without clocks, sleep and a source of random bytes, time stands still and `random` repeats.
	config := wazero.NewModuleConfig().WithName("").WithSysWalltime().WithSysNanotime().WithSysNanosleep().
		WithRandSource(rand.Reader).WithStdin(command.Stdin).WithStdout(command.Stdout).WithStderr(command.Stderr).
		WithArgs(append([]string{"remotemedia"}, command.Args...)...)
	for name, value := range command.Env {
		config = config.WithEnv(name, value)
	}
	folders := wazero.NewFSConfig()
	for guest, host := range command.Dirs {
		folders = folders.WithDirMount(host, guest)
	}
	instance, err := p.runtime.InstantiateModule(ctx, p.compiled, config.WithFSConfig(folders))
	var exit *sys.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), nil
	}
	if err != nil {
		return 0, err
	}
	return 0, instance.Close(ctx)
}
