#!/bin/bash
# check_examples.sh LULL EXAMPLES: every job file of the folder passes `lull check`.
set -euo pipefail
lull=$1 examples=$2
umask 077
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$examples"/*.toml "$work"
"$lull" check "$work"/*.toml
