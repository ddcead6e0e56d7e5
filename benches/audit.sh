#!/usr/bin/env bash
# What an audit of a checkout costs, against the floor of walking, reading and parsing the same files.
#
#   benches/audit.sh PATH [RUNS]      whole-process CPU and wall time (least of RUNS, default 5) and peak memory,
#                                     and both times as multiples of the floor's on as many threads
#
# Needs Rust and python3 (standard library only). Compare CPU, not wall time, on a machine that does other work. Peaks under
# some 15 MB are those of the measuring python.
set -euo pipefail

usage() { sed -n '2,8s/^# \{0,1\}//p' "$0"; exit 2; }
[[ $# -ge 1 && -d $1 ]] || usage
tree=$(cd "$1" && pwd)
runs=${2:-5}
[[ $runs =~ ^[1-9][0-9]*$ ]] || usage
cd "$(dirname "$0")/.."
command -v python3 >/dev/null || { echo "benches/audit.sh: python3 is needed to measure processes" >&2; exit 1; }

cargo build --release --locked --quiet --bin readycheck --example floor
target=${CARGO_TARGET_DIR:-target}/release

python3 - "$tree" "$runs" "$target/readycheck" "$target/examples/floor" <<'PY'
import os, subprocess, sys, tempfile, time

tree, runs, audit, floor = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4]


def once(command):
    """CPU seconds, wall seconds and peak MB of one process, and what it printed if that was little."""
    with tempfile.TemporaryFile() as out:
        start = time.perf_counter()
        child = subprocess.Popen(command, stdout=out, stderr=subprocess.PIPE)
        errors = child.stderr.read()
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.perf_counter() - start
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode != 0:
            sys.exit(f"{' '.join(command)} ended with {child.returncode}:\n{errors.decode(errors='replace')}")
        out.seek(0)
        return usage.ru_utime + usage.ru_stime, wall, usage.ru_maxrss / 1024, out.read(200)


def least(command):
    measured = [once(command) for _ in range(runs)]
    cpu, wall, peak = (min(run[i] for run in measured) for i in (0, 1, 2))
    return cpu, wall, peak, measured[0][3]


print(f"{tree}: least of {runs}")
print(f"{'':16}{'CPU s':>9}{'wall s':>9}{'peak MB':>9}{'CPU / floor':>13}{'wall / floor':>14}")
for jobs in (1, 2):
    base = least([floor, tree, str(jobs)])
    ours = least([audit, "audit", "--format", "json", "--no-config", "--jobs", str(jobs), tree])
    if jobs == 1:
        corpus = base[3].decode().strip()
    for name, (cpu, wall, peak, _) in (("floor", base), ("audit", ours)):
        ratios = f"{cpu / max(base[0], 1e-6):13.2f}{wall / max(base[1], 1e-6):14.2f}"
        print(f"{name + ', ' + str(jobs) + ' thr.':16}{cpu:9.3f}{wall:9.3f}{peak:9.1f}{ratios}")
print(corpus)
PY
