# shellcheck shell=bash
# Shared by the scripts; not run by itself.

# step NAME COMMAND...: runs it under a heading, and prints how long it took.
step() {
  local name=$1 started=$SECONDS
  shift
  printf '\n== %s\n' "$name"
  "$@"
  printf '== %s: %ds\n' "$name" $((SECONDS - started))
}

# need PROGRAM PURPOSE: stops if it is not installed. A test that cannot run has not passed.
need() {
  if ! command -v "$1" > /dev/null; then
    echo "$1 is not installed: it is needed $2" >&2
    exit 2
  fi
}
