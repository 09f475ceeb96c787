#!/bin/bash
# run.sh [NAME] [OPTION...]: the benchmarks, or one of them. `./dev bench` calls this with
# LULL_PROGRAM. Each is a script NAME.sh beside this file, and README.md says how it measures.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
names=(cost protect)

name=''
if (( $# > 0 )) && [[ $1 != -* ]]; then
  name=$1
  shift
fi
if [[ -n $name ]]; then
  if [[ " ${names[*]} " != *" $name "* ]]; then
    printf './dev bench: no benchmark %s; there is %s\n' "$name" "${names[*]}" >&2
    exit 2
  fi
  names=("$name")
fi
for name in "${names[@]}"; do "$here/$name.sh" "$@"; done
