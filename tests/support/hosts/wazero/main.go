// Runs commands in wazero, each in a fresh instance, as node.mjs does in Node (the same jobs and answers).
// Usage: wazero-host FILE.wasm CACHE; compiled files are kept in the folder CACHE.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"

	"remotemedia.example/go/wasi"
)

type job struct {
	Args                  []string
	Env, Preopens         map[string]string
	Stdin, Stdout, Stderr string
}

type answer struct {
	Exit    *uint32 `json:"exit,omitempty"`
	Trouble string  `json:"trouble,omitempty"`
}

func run(ctx context.Context, program *wasi.Program, job job) (uint32, error) {
	stdin, err := os.Open(job.Stdin)
	if err != nil {
		return 0, err
	}
	defer stdin.Close()
	stdout, err := os.Create(job.Stdout)
	if err != nil {
		return 0, err
	}
	defer stdout.Close()
	stderr, err := os.Create(job.Stderr)
	if err != nil {
		return 0, err
	}
	defer stderr.Close()
	return program.Run(ctx, wasi.Command{Args: job.Args[1:], Env: job.Env, Dirs: job.Preopens,
		Stdin: stdin, Stdout: stdout, Stderr: stderr})
}

func answerTo(ctx context.Context, program *wasi.Program, line []byte) answer {
	var given job
	if err := json.Unmarshal(line, &given); err != nil {
		log.Fatal(err)
	}
	code, err := run(ctx, program, given)
	if err != nil {
		return answer{Trouble: fmt.Sprintf("a trap: %.4000v", err)}
	}
	return answer{Exit: &code}
}

func main() {
	ctx := context.Background()
	program, err := wasi.Open(ctx, os.Args[1], os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	answers := json.NewEncoder(os.Stdout)
	lines := bufio.NewReader(os.Stdin)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		if err := answers.Encode(answerTo(ctx, program, line)); err != nil {
			log.Fatal(err)
		}
	}
}
