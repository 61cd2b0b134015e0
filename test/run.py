#!/usr/bin/env python3
"""Runs all tests of a build in parallel and ends with one line: N passed, N failed.

Kinds: unit (programs below BUILD/test), replay (fuzz targets over their corpus, BUILD/replay), example (BUILD/examples), functional
(test/functional/*.py with real nodes). A test passes if it exits with 0, is skipped with 77, and fails otherwise or when its time is up.
"""
import argparse
import concurrent.futures
import os
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SKIPPED = 77


def collect(build, kinds, pattern):
    tests = []
    if "unit" in kinds:
        for folder, _, names in sorted(os.walk(os.path.join(build, "test"))):
            for name in sorted(names):
                path = os.path.join(folder, name)
                if name.startswith("test_") and "." not in name and os.access(path, os.X_OK):
                    tests.append(("unit/%s/%s" % (os.path.basename(folder), name), [path]))
    if "replay" in kinds:
        folder = os.path.join(build, "replay")
        for name in sorted(os.listdir(folder) if os.path.isdir(folder) else []):
            path = os.path.join(folder, name)
            corpus = os.path.join(ROOT, "test", "fuzz", "corpus", name.removeprefix("fuzz_"))
            if name.startswith("fuzz_") and "." not in name:
                tests.append(("replay/" + name, [path, corpus]))
    if "example" in kinds:
        folder = os.path.join(build, "examples")
        for name in sorted(os.listdir(folder) if os.path.isdir(folder) else []):
            if "." not in name:
                tests.append(("example/" + name, [os.path.join(folder, name)]))
    if "functional" in kinds:
        folder = os.path.join(ROOT, "test", "functional")
        for name in sorted(os.listdir(folder)):
            if name.endswith(".py") and "_" in name and not name.startswith("_"):
                tests.append(("functional/" + name, [sys.executable, os.path.join(folder, name)]))
    return [t for t in tests if pattern in t[0]]


def run_one(test, timeout, env):
    name, command = test
    start = time.monotonic()
    with tempfile.TemporaryFile() as out:
        # A session of its own: whatever the test leaves behind is ended with it.
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=env, cwd=ROOT,
                                   start_new_session=True)
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            code = "no end after %d seconds" % timeout
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
        out.seek(0)
        return name, code, time.monotonic() - start, out.read().decode("utf-8", "replace")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=os.path.join(ROOT, "build"))
    parser.add_argument("--kinds", default="unit,replay,example,functional")
    parser.add_argument("--jobs", type=int, default=max(2, os.cpu_count() or 2))
    parser.add_argument("--timeout", type=int, default=600)
    parser.add_argument("pattern", nargs="?", default="")
    options = parser.parse_args()

    build = os.path.abspath(options.build)
    env = dict(os.environ, FARTHING_BUILD=build)
    env.setdefault("FARTHING_VECTORS", os.path.join(os.path.dirname(ROOT), "shared", "vectors"))
    if not os.path.isdir(env["FARTHING_VECTORS"]):
        print("vectors: no folder %s, tests do without" % env["FARTHING_VECTORS"])
    tests = collect(build, options.kinds.split(","), options.pattern)
    # The long ones first, so that the end is not one test on one core.
    tests.sort(key=lambda t: 0 if t[0].startswith("functional") else 1)
    count = {"passed": 0, "failed": 0, "skipped": 0}
    failed = []
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as executor:
        jobs = [executor.submit(run_one, t, options.timeout, env) for t in tests]
        for job in concurrent.futures.as_completed(jobs):
            name, code, seconds, output = job.result()
            word = "passed" if code == 0 else "skipped" if code == SKIPPED else "failed"
            count[word] += 1
            print("%-8s %6.1f s  %s" % (word, seconds, name), flush=True)
            if word == "failed":
                failed.append(name)
                print("---- %s ended with %s ----\n%s\n----" % (name, code, output[-8000:]), flush=True)
    for name in failed:
        print("failed: " + name)
    line = "%(passed)d passed, %(failed)d failed" % count
    print(line + (", %d skipped" % count["skipped"] if count["skipped"] else ""))
    return 1 if failed or not tests else 0


if __name__ == "__main__":
    sys.exit(main())
