# The parts of protect.sh that are about CPUs: sourced by it.
# shellcheck shell=bash disable=SC2154  # what protect.sh sets

spinners() {
  local count=$1
  shift
  compare "$count" "$work/bin/bench_job" spin 300 %P -- "$@"
}

measure_C2() {
  ways cpu
  section "C2: a foreground that wants every CPU, beside 4 jobs that do; $rounds rounds of $seconds s"
  spinners 4 work_per_s -- spin 2 "$seconds"
  compared work_per_s '>= 0.97'
  make_tree
  section "C2: make -j2 of a few files of lull's own, beside the same; $rounds rounds"
  spinners 4 work_per_s -- command make -s -B -j2 -C "$work/tree"
  compared work_per_s '>= 0.97'
}

# A fixed tree to compile: no library behind it but the standard one and Boost's headers.
make_tree() {
  mkdir -p "$work/tree/jobs"
  cp "$here"/../jobs/*.?pp "$work/tree/jobs"
  printf '%s\n' 'all: units.o cron.o slice.o priority.o decide.o looks.o' \
    '%.o: jobs/%.cpp' $'\tg++ -std=c++20 -O1 -I. -c $< -o $@' > "$work/tree/Makefile"
}

measure_C1() {
  local percent
  for percent in 25 50 75; do
    measure_duty "$percent" 3
    measure_duty "$percent" 4
  done
}

# measure_duty PERCENT JOBS. The foreground's work and the jobs' are chunks of the same kind: what it
# leaves is what they do with nobody there, less its own.
measure_duty() {
  local percent=$1 wanted=('' '' '')
  ways cpu
  (( percent > 25 )) || wanted=('<= 1.05' '<= 1.3' '')
  (( percent < 75 )) || wanted=('' '' '>= 0.97')
  section "C1: two threads that work $percent % of each 8 ms, beside $2 spinning jobs; $rounds rounds of $seconds s"
  spinners "$2" p50_us p99_us work_per_s -- \
    duty 2 $((80 * percent)) 8000 "$seconds" "$loops_per_us"
  compared p50_us "${wanted[0]}"
  compared p99_us "${wanted[1]}"
  compared work_per_s "${wanted[2]}"
  paste "$memory/free.job" "$memory/alone.work_per_s" |
    awk -v piece="$loops_per_us $percent" '
      BEGIN { split(piece, p); chunks = p[1] * 80 * p[2] / 50000 }
      { print $1 - $2 * chunks }' > "$memory/left"
  shares_of "$memory/left" '>= 0.95' harvest
}
