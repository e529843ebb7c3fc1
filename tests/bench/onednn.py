#!/usr/bin/env python3
"""Adds a column to the convolutions that bench_kernels prints: oneDNN's GFLOP/s, as PyTorch calls it, on one thread.

    bench_kernels | tests/bench/onednn.py [SECONDS A MEASUREMENT]

Forward, input gradient and weight gradient with pictures in NHWC, the best of some repetitions by the thread's own time. Of
padding "same" at stride 2 PyTorch has only the symmetric kind, which is as much work. Without PyTorch lines pass unchanged.
"""
import importlib.util
import re
import sys
import time

ROW = re.compile(r"\s*(\d+) x\s*(\d+)x\s*\d+x(\d+)\s*->\s*(\d+), (\d)x\d (\S*)\s*\|")


def best_s(run, seconds):
    best, end = float("inf"), time.perf_counter() + seconds
    while best == float("inf") or time.perf_counter() < end:
        start = time.thread_time()
        run()
        best = min(best, time.thread_time() - start)
    return best


def gflops(rows, size, channels, filters, kernel, kind, seconds):
    pad, stride = 0 if kind == "valid" else kernel // 2, 2 if kind == "/2" else 1
    nhwc = {"memory_format": torch.channels_last}
    x = torch.rand(rows, channels, size, size).to(**nhwc)
    w = torch.rand(filters, channels, kernel, kernel).to(**nhwc)
    y = torch.nn.functional.conv2d(x, w, None, stride, pad)
    dy = torch.rand_like(y)

    def gradient(mask):
        torch.ops.aten.convolution_backward(dy, x, w, None, [stride] * 2, [pad] * 2, [1, 1], False, [0, 0], 1, mask)

    work = 2e-9 * y.numel() * channels * kernel**2
    return [work / best_s(run, seconds) for run in (lambda: torch.nn.functional.conv2d(x, w, None, stride, pad),
                                                    lambda: gradient([True, False, False]),
                                                    lambda: gradient([False, True, False]))]


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 0.3
    for line in sys.stdin:
        row = ROW.match(line)
        added = ""
        if torch and row:
            rates = gflops(*map(int, row.groups()[:5]), row[6], seconds)
            added = "  |" + "".join(f" {rate:6.1f}" for rate in rates)
        elif torch and line.startswith("conv"):
            added = f"  | oneDNN (PyTorch {torch.__version__})"
        print(line.rstrip("\n") + added, flush=True)


torch = None
if importlib.util.find_spec("torch"):
    import torch

    torch.set_num_threads(1)
main()
