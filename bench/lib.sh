# What the benchmarks share: sourced after `set -euo pipefail`.
# shellcheck shell=bash

work=''  # the scratch folder

die() { printf 'bench: %s\n' "$*" >&2; exit 1; }

# pause SECONDS, without a process: nothing ever comes from that pipe.
exec {silence}<> <(:)
pause() { read -rt "$1" -u "$silence" || true; }

# Copied to where every user can reach them: a checkout may lie in a closed home.
copy_programs() {
  local program=${LULL_PROGRAM:?set it to the optimised lull, or type ./dev bench}
  local built
  built=$(dirname "$program")
  [[ -x $program && -x $built/lull-keeper ]] || die "$program and lull-keeper are not built"
  mkdir "$work/bin"
  cp "$program" "$built/lull-keeper" "$built"/bench/bench_* "$work/bin"
  chmod 755 "$work"/bin "$work"/bin/*
}

# --- numbers: one a line --------------------------------------------------------------------------

# spread FILE: "MEDIAN (MIN..MAX)".
spread() {
  sort -g "$1" | awk '
    function short(x) { return x < 100 ? sprintf("%.3g", x) : sprintf("%.0f", x) }
    { v[NR] = $1 }
    END {
      middle = NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2
      printf "%s (%s..%s)\n", short(middle), short(v[1]), short(v[NR])
    }'
}

median() { sort -g "$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

# ratio FILE FILE: of their medians.
ratio() { awk -v a="$(median "$1")" -v b="$(median "$2")" 'BEGIN { printf "%.3f\n", a / b }'; }

# percentile P: the smallest of the sorted numbers on stdin that P percent do not exceed.
percentile() {
  awk -v p="$1" '{ v[NR] = $1 }
    END { rank = int(NR * p / 100); if (rank < NR * p / 100) ++rank; print v[rank < 1 ? 1 : rank] }'
}

# --- the table ------------------------------------------------------------------------------------

goals=0 reached=0

# heading FOLDER [OURS PEER]: what was measured on; the scratch FOLDER's file system decides what files
# cost.
heading() {
  printf '%s, %s CPUs, load %s; files on %s\n' "$(uname -sr)" "$(nproc)" \
    "$(cut -d ' ' -f 1 /proc/loadavg)" "$(findmnt -n -o FSTYPE,OPTIONS -T "$1")"
  printf '\n  %-30s %-24s %-24s %-8s\n' '' "${2:-lull}" "${3:-bare peer}" goal
}

section() { printf '\n%s\n' "$*"; }
note() { printf '  %s\n' "$*"; }

# row WHAT OURS PEER GOAL: the first number of OURS is held against GOAL, "<= N", ">= N" or nothing.
row() {
  local verdict=''
  if [[ -n $4 ]]; then
    goals=$((goals + 1))
    verdict=MISSED
    if awk -v x="${2%% *}" -v op="${4% *}" -v goal="${4#* }" \
      'BEGIN { exit !(op == "<=" ? x <= goal + 0 : x >= goal + 0) }'; then
      verdict=reached
      reached=$((reached + 1))
    fi
  fi
  printf '  %-30s %-24s %-24s %-8s %s\n' "$1" "$2" "$3" "$4" "$verdict"
}

finish() {
  printf '\n%d of %d goals reached; load at the end %s\n' \
    "$reached" "$goals" "$(cut -d ' ' -f 1 /proc/loadavg)"
}
