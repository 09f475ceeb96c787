# The parts of protect.sh that follow a job through time: sourced by it.
# shellcheck shell=bash disable=SC2154  # what protect.sh sets

# on_resource RESOURCE: the words for a foreground and a job on the CPU or the disk, as `need` and `load`.
on_resource() {
  case $1 in
    CPU) need=(spin 2) load=("$work/bin/bench_job" spin 300 %P) ;;
    disk) need=(randread "$disk") load=("$work/bin/bench_job" seqread "$disk" 300 %P) ;;
  esac
}

# ready RESOURCE: fails where it cannot be had.
ready() { [[ $1 == CPU ]] || { make_disk && use_scheduler none; }; }

# levels: "UNIX_US STATE" of each change that lull's history has for the jobs of the newest instance.
levels() {
  as "$EUID" "$work/bin/lull" history --json | jq -r '
    def us: capture("^(?<s>[^.+]*)(\\.(?<f>[0-9]+))?") |
      ((.s + "Z") | fromdate) * 1000000 + (((.f // "0") + "000000")[0:6] | tonumber);
    .[].levels[] | "\(.at | us) \(.state)"'
}

# --- a foreground that comes and goes ---------------------------------------------------------------

measure_onoff() {
  local resource
  for resource in CPU disk; do
    come_and_go "$resource" 1 1 10
    come_and_go "$resource" 3 7 2
  done
}

# come_and_go RESOURCE ON OFF TIMES: what the foreground gets done while it is there, what the job gets
# done meanwhile, and how often lull changed its mind.
come_and_go() {
  local resource=$1 on=$2 off=$3 times=$4 need load variant round key=work_per_s
  section "D1: the foreground wants the $resource for $on s, then nothing for $off s; $times times, $rounds rounds"
  ready "$resource" || return 0
  [[ $resource == CPU ]] || key=per_s
  our_ways
  variants=(alone plain nice "${variants[@]}")
  on_resource "$resource"
  rm -f "$memory"/*.*
  for (( round = 0; round < rounds; round++ )); do
    keep_free 1 "${load[@]}"
    for variant in "${variants[@]}"; do one_round "$variant"; done
  done
  compared "$key" ''
  shares_of "$memory/free.job" "$( (( off < 7 )) || echo '>= 0.92')" 'harvest of off'
  our_ways
  for variant in "${variants[@]}"; do
    row "changes a minute, $(called "$variant")" "$(spread "$memory/$variant.changes")" '' ''
  done
  restore_schedulers
}

# one_round VARIANT: adds up what was seen over all times.
one_round() {
  local variant=$1 time got=0 job=0 from
  await_quiet
  start_jobs "$variant" 1 "${load[@]}"
  pause "$settle"
  from=$(monotonic_us)
  for (( time = 0; time < times; time++ )); do
    foreground "${need[@]}" "$on"
    got="$got + $(saw "$key")"
    pause "$off"
    [[ $variant == alone ]] ||
      job="$job + $(done_between "$(saw to_us)" "$(( $(saw to_us) + off * 1000000 ))")"
  done
  stop_jobs
  keep "$variant.$key" "$(awk "BEGIN { print ($got) / $times }")"
  [[ $variant == alone ]] || keep "$variant.job" "$(awk "BEGIN { print ($job) / $times }")"
  ! is_ours "$variant" ||
    keep "$variant.changes" "$(levels | awk -v s="$(( ($(monotonic_us) - from) / 1000000 ))" '
      END { print NR * 60 / s }')"
}

# A foreground that never stops, and what it leaves to a reader.
measure_floor() {
  section "floor: random reads that never stop beside a sequential reader, none; $rounds rounds of $((2 * seconds)) s"
  make_disk || return 0
  use_scheduler none || return 0
  our_ways
  variants=(alone "${variants[@]}")
  readers per_s -- randread "$disk" "$((2 * seconds))"
  compared per_s ''
  shares_of "$memory/free.job" '>= 0.01' 'left to the job'
  restore_schedulers
}

# --- how soon ---------------------------------------------------------------------------------------

# On a CPU a job yields when lull's history has the level of a busy machine. Levels that an onset found
# busy already say nothing and are left out.
yields_on_CPU() {
  local seen
  levels > "$memory/levels"
  while read -r seen; do
    awk -v from="$(saw from_unix_us)" -v long="$(( $(saw to_us) - $(saw from_us) ))" '
      { busy = $2 == "busy" || $2 == "strained" }
      $1 <= from { before = busy; next }
      busy && $1 < from + long && !at { at = $1 }
      END { if (!before) print (at ? at - from : long) / 1000 }' "$memory/levels"
  done < "$1"
}

# On a disk, with the first stretch between two notes in which it has less than a fifth of what it had
# before.
yields_on_disk() {
  local seen
  while read -r seen; do
    awk -v from="$(saw from_us)" -v to="$(saw to_us)" \
      -v full="$(done_between "$(( $(saw from_us) - 1000000 ))" "$(saw from_us)")" '
      then && $1 > from && ($2 - work) * 1e6 / ($1 - then) < 0.2 * full {
        print (then > from ? then - from : 0) / 1000
        found = 1
        exit
      }
      { then = $1; work = $2 }
      END { if (!found) print (to - from) / 1000 }' "$progress"/*
  done < "$1"
}

# resumes FILE: of the onsets in FILE, how many ms after its end a job had 90 % of the rate back that
# it had in the second before, over 100 ms. What did not come back within its time counts as all of it.
resumes() {
  local seen
  while read -r seen; do
    awk -v end="$(saw to_us)" -v most="$off_seconds" \
      -v full="$(done_between "$(( $(saw from_us) - 1000000 ))" "$(saw from_us)")" '
      { at[NR] = $1; work[NR] = $2 }
      END {
        for (i = j = 1; i <= NR; ++i) {
          if (at[i] < end) continue
          while (j < NR && at[j] < at[i] + 100000) ++j
          if (at[j] - at[i] < 100000) break
          if ((work[j] - work[i]) * 1e6 / (at[j] - at[i]) >= 0.9 * full) {
            print (at[i] - end) / 1000
            exit
          }
        }
        print most * 1000
      }' "$progress"/*
  done < "$1"
}

measure_latency() {
  local resource need load variant onset onsets_seen=$memory/onsets
  our_ways
  for resource in CPU disk; do
    section "latency: a job wants the $resource, and so does a foreground for $on_seconds s, $onsets times"
    ready "$resource" || continue
    on_resource "$resource"
    for variant in "${variants[@]}"; do
      await_quiet
      : > "$onsets_seen"
      start_jobs "$variant" 1 "${load[@]}"
      for (( onset = 0; onset < onsets; onset++ )); do
        pause "$off_seconds.$((RANDOM % 900 + 100))"  # not in step with anything of lull's
        foreground "${need[@]}" "$on_seconds"
        printf '%s\n' "$seen" >> "$onsets_seen"
      done
      pause "$off_seconds"
      stop_jobs
      "yields_on_$resource" "$onsets_seen" > "$memory/yield"
      resumes "$onsets_seen" > "$memory/resume"
      latency_rows "$variant"
    done
    restore_schedulers
  done
}

latency_rows() {
  if [[ -s $memory/yield ]]; then
    row "ms to yield, $(called "$1")" "$(spread "$memory/yield")" "$(grep -c . "$memory/yield") onsets" '<= 150'
  else
    note "no onset found $(called "$1") at ease: the machine was busy all the time"
  fi
  row "ms to resume, $(called "$1")" "$(spread "$memory/resume")" '' '<= 1000'
}
