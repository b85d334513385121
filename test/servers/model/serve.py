"""Serves a GGUF model with llama.cpp's own server (OpenAI-compatible) on 127.0.0.1 until SIGTERM or SIGINT.

Usage: python serve.py tiny.gguf PORT      (needs xllamacpp; port 0 takes a free one)
Prints "listening http://127.0.0.1:PORT" when it answers. Send "ignore_eos": true to keep random weights talking up to max_tokens.
"""

import signal
import sys

import xllamacpp


def main(path, port):
    params = xllamacpp.CommonParams()
    params.model.path = path
    params.model_alias = ["tiny"]
    params.hostnames = ["127.0.0.1"]
    params.port = port
    params.n_ctx = 8192
    params.n_parallel = 4
    params.cpuparams.n_threads = 1
    params.cpuparams_batch.n_threads = 1
    params.endpoint_metrics = True
    params.warmup = False
    params.verbosity = 0
    # Before the server's threads start, so that they inherit it and only sigwait below sees the signal.
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGINT])
    server = xllamacpp.Server(params)
    print("listening", server.listening_address, flush=True)
    signal.sigwait([signal.SIGTERM, signal.SIGINT])


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
