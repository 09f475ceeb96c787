#!/bin/bash
# terminal.sh LULL: lull run as a person at a terminal uses it, in a real one (tmux) under a real shell
# with job control: a prompt that reads /dev/tty without echo, Ctrl-C, Ctrl-Z and fg, a new window size.
set -euo pipefail

lull=$1
export SHELL=/bin/sh  # tmux starts the pane by it; an account without a login has nologin there
work=$(mktemp -d)
exec {silence}<> <(:)  # never says anything: a pause without a process
tmux=(tmux -S "$work/tmux")
# What the killed terminal ran may still be writing its record.
clear_up() {
  local i
  for ((i = 0; i < 100; ++i)); do
    if rm -rf "$work" 2> /dev/null; then return; fi
    read -rt 0.1 -u "$silence" || true
  done
}
trap '"${tmux[@]}" kill-server 2>/dev/null || true; clear_up' EXIT

die() {
  printf 'terminal: %s\n--- the screen:\n' "$1" >&2
  "${tmux[@]}" capture-pane -p >&2 || true
  exit 1
}

# shows TEXT: waits until the screen shows it on a line of its own.
shows() {
  local i
  for ((i = 0; i < 600; ++i)); do
    if "${tmux[@]}" capture-pane -p | grep -qxE "$1 *"; then return; fi
    read -rt 0.1 -u "$silence" || true
  done
  die "the screen never showed: $1"
}

keys() { "${tmux[@]}" send-keys "$@"; }

"${tmux[@]}" -f /dev/null new-session -d -x 90 -y 30 \
  "env -i PATH=$PATH TERM=screen HOME=$work PS1='ready> ' LULL_CONFIG_DIR=$work/c LULL_STATE_DIR=$work/s \
   LULL_RUNTIME_DIR=$work/r bash --norc --noprofile"
shows 'ready>'

# As sudo asks: from /dev/tty, without echo.
cat > "$work/ask" <<'END'
stty -echo < /dev/tty
printf 'password: ' > /dev/tty
read -r secret < /dev/tty
stty echo < /dev/tty
printf '\n%s letters\n' "${#secret}"
END
keys "$lull run -- sh $work/ask" Enter
shows 'password:'
keys 'geheim' Enter
shows '6 letters'
if "${tmux[@]}" capture-pane -p | grep -q geheim; then die 'a password was echoed'; fi

keys 'clear' Enter
keys "$lull run -- sleep 1000; echo code \$?" Enter
shows 'ready> .*sleep 1000.*'
for ((i = 0; i < 100; ++i)); do
  pgrep -f '^sleep 1000$' > /dev/null && break
  read -rt 0.1 -u "$silence" || true
done
keys C-c
shows '(\^C)?code 130'

keys 'clear' Enter
keys "$lull run -- sh -c 'echo begun; read -r line; echo \"read \$line\"'" Enter
shows 'begun'
keys C-z
shows '\[1\]\+ +Stopped .*'
keys 'echo shell' Enter
shows 'shell'
keys 'fg' Enter
keys 'words' Enter
shows 'read words'

keys 'clear' Enter
keys "$lull run -- sh -c 'trap \"stty size\" WINCH; echo waits; for i in 1 2 3 4 5 6 7 8 9; do sleep 1; done'" Enter
shows 'waits'
"${tmux[@]}" resize-window -x 71 -y 23
shows '2[23] 71'
keys C-c
