#!/bin/bash
# Inside the machine, as root: runs the cases, or those whose names begin as the file `wanted` says,
# and prints one line for each, with what it measured below.
set -uo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")" || exit 2
echo "$PWD/lib" > /etc/ld.so.conf.d/lull.conf
ldconfig
mapfile -t wanted < <(cat wanted 2> /dev/null)
failed=0 passed=0

is_wanted() {
  local name
  (( ${#wanted[@]} > 0 )) || return 0
  for name in "${wanted[@]}"; do [[ $1 != "$name"* ]] || return 0; done
  return 1
}

units() { systemctl list-units --plain --no-legend --type=service,scope | cut -d ' ' -f 1 | sort; }
at_start=$(units)

# What a case has left that failed would be a foreground, or the job, of the next.
clean_up() {
  comm -13 <(printf '%s\n' "$at_start") <(units) | xargs -r systemctl stop
  systemctl restart user@1000 user@1001
}

for file in cases/*.sh; do
  name=$(basename "$file" .sh)
  is_wanted "$name" || continue
  started=$SECONDS
  if timeout 400 bash -euxo pipefail "$file" > output 2> trace; then
    verdict=ok passed=$((passed + 1))
  else
    verdict=FAILED failed=$((failed + 1))
  fi
  printf '%-6s %s: %s (%d s)\n' "$verdict" "$name" "$(sed -n '2s/^# //p' "$file")" \
    $((SECONDS - started))
  sed 's/^/         /' output
  if [[ $verdict != ok ]]; then
    { tail -n 25 trace; journalctl --no-pager -q -n 30 -o short-monotonic; } | sed 's/^/         | /'
    clean_up
  fi
done
printf '%d passed, %d failed\n' "$passed" "$failed"
(( failed == 0 && passed > 0 ))
