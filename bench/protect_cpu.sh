# The parts of protect.sh that are about CPUs: sourced by it.
# shellcheck shell=bash disable=SC2154  # what protect.sh sets

measure_C2() {
  ways cpu
  section "C2: a foreground that wants every CPU, beside 4 jobs that do; $rounds rounds of $seconds s"
  compare "$rounds" 4 "$work/bin/bench_job" spin 300 %P -- work_per_s -- spin 2 "$seconds"
  compared work_per_s '>= 0.97'
}

measure_C1() {
  ways cpu
  section "C1: 2 ms of work each 8 ms on two threads, beside 3 spinning jobs; $rounds rounds of $seconds s"
  compare "$rounds" 3 "$work/bin/bench_job" spin 300 %P -- p50_us p99_us -- \
    duty 2 2000 8000 "$seconds" "$loops_per_us"
  compared p50_us '<= 1.05'
  compared p99_us '<= 1.3'
  section "C1: 5.6 ms of work each 8 ms"
  compare "$rounds" 3 "$work/bin/bench_job" spin 300 %P -- work_per_s -- \
    duty 2 5600 8000 "$seconds" "$loops_per_us"
  compared work_per_s '>= 0.97'
}

# alone_rate COUNT CMD...: what such jobs do per second with nobody there, no way of lull's. Not for $( ): the
# jobs and their folder are this shell's to know.
alone_rate() {
  local from to
  await_quiet
  start_jobs plain "$@"
  pause "$settle"
  from=$(monotonic_us)
  pause "$seconds"
  to=$(monotonic_us)
  stop_jobs
  done_between "$from" "$to"
}

# The foreground's work and the jobs' are chunks of the same kind: what it leaves is what they do with
# nobody there, less its own.
measure_duty() {
  local percent variant round work_us chunk
  for percent in 25 50 75; do
    ways cpu
    work_us=$((80 * percent))
    section "harvest: 3 spinning jobs, foreground on two threads $percent % of each 8 ms; $rounds rounds"
    rm -f "$memory/nobody_there"
    for (( round = 0; round < rounds; round++ )); do
      alone_rate 3 "$work/bin/bench_job" spin 300 %P >> "$memory/nobody_there"
    done
    compare "$rounds" 3 "$work/bin/bench_job" spin 300 %P -- work_per_s -- \
      duty 2 "$work_us" 8000 "$seconds" "$loops_per_us"
    chunk=$(awk -v l="$loops_per_us" -v w="$work_us" 'BEGIN { print l * w / 50000 }')
    paste "$memory/nobody_there" "$memory/alone.work_per_s" |
      awk -v chunk="$chunk" '{ print $1 - $2 * chunk }' > "$memory/left"
    for variant in "${variants[@]:1}"; do  # not alone
      paired "$memory/$variant.job" "$memory/left" > "$memory/ratio"
      row "harvest, $(called "$variant")" "$(spread "$memory/ratio")" "$(spread "$memory/$variant.job")" \
        "$( [[ $variant != lull && $variant != nobody ]] || echo '>= 0.95')"
    done
    compared work_per_s ''
  done
}

# Onset to the moment that lull's history has the level of a busy machine; end to a job's full rate.
measure_latency_cpu() {
  local variant onset history=$memory/onsets
  our_ways
  section "latency on a CPU: a job spins, the foreground comes for $on_seconds s, $onsets times"
  for variant in "${ours[@]}"; do
    await_quiet
    rm -f "$memory"/{yield,resume}
    start_jobs "$variant" 1 "$work/bin/bench_job" spin 300 %P
    : > "$history"
    for (( onset = 0; onset < onsets; onset++ )); do
      pause "$off_seconds.$((RANDOM % 900 + 100))"  # not in step with anything of lull's
      foreground spin 2 "$on_seconds"
      printf '%s\n' "$seen" >> "$history"
    done
    pause "$off_seconds"
    stop_jobs
    LULL_STATE_DIR=$instance/state LULL_RUNTIME_DIR=$instance/run LULL_CONFIG_DIR=$instance/config \
      "$work/bin/lull" history --json > "$memory/history"
    # Levels that an onset found busy already say nothing and are left out.
    jq -rn --slurpfile seen "$history" --slurpfile all "$memory/history" '
      def us: capture("^(?<s>[^.+]*)(\\.(?<f>[0-9]+))?") |
        ((.s + "Z") | fromdate) * 1000000 + (((.f // "0") + "000000")[0:6] | tonumber);
      [$all[0][0].levels[] | {at: (.at | us), busy: (.state == "busy" or .state == "strained")}] as $l |
      $seen[] | .from_unix_us as $from | (.to_us - .from_us) as $long |
      select([$l[] | select(.at <= $from)] | length == 0 or (last | .busy | not)) |
      [$l[] | select(.at > $from and .at < $from + $long and .busy) | .at - $from][0] // $long |
      . / 1000' > "$memory/yield"
    resumes "$history" > "$memory/resume"
    latency_rows "$variant"
  done
}
