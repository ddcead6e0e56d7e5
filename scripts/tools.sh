# shellcheck shell=bash
# Read by scripts/test: makes sure that the tools of the proof by running are there.
# Installs Debian's packages where it may; otherwise says what to install, and fails.

has_node() {
  command -v npm >/dev/null && node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 20 ? 0 : 1)' 2>/dev/null
}

has_python() {
  python3 -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

has_postgres() {
  compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || { command -v pg_config && [[ -x $(pg_config --bindir)/initdb ]]; } >/dev/null 2>&1
}

has_redis() { command -v redis-server >/dev/null; }

# What is missing, as Debian's packages.
missing_packages() {
  has_node || echo nodejs npm
  has_python || echo python3 python3-venv python3-pip
  has_postgres || echo postgresql
  has_redis || echo redis-server
}

# How to become root without a question, if there is a way.
as_root() {
  if [[ $(id -u) == 0 ]]; then "$@"; else sudo -n "$@"; fi
}

may_install() {
  command -v apt-get >/dev/null && as_root true 2>/dev/null
}

# Installs packages without starting the services that some of them bring: invoke-rc.d asks policy-rc.d first.
install_packages() {
  local policy=/usr/sbin/policy-rc.d made=no status=0
  if [[ ! -e $policy ]]; then
    made=yes
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod 755 "$policy"
  fi
  as_root apt-get update -qq || echo "scripts/test: apt-get update failed; trying with the lists that are there" >&2
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null || status=$?
  [[ $made == no ]] || as_root rm -f "$policy"
  return "$status"
}

packages=$(missing_packages | tr '\n' ' ')
if [[ -n $packages ]] && may_install; then
  printf '\n== installing %s\n' "$packages"
  # shellcheck disable=SC2086 # a list of names
  install_packages $packages || echo "scripts/test: the packages could not be installed: $packages" >&2
fi

wanting=()
has_node || wanting+=("Node 20 or newer with npm (found: $(node --version 2>/dev/null || echo none)): https://nodejs.org")
has_python || wanting+=("Python 3.11 or newer with venv and pip (Debian: python3 python3-venv python3-pip)")
has_postgres || wanting+=("the PostgreSQL server (Debian: postgresql; macOS: brew install postgresql)")
has_redis || wanting+=("the Redis server (Debian: redis-server; macOS: brew install redis)")
if ((${#wanting[@]})); then
  printf 'scripts/test: the proof by running needs what is not here; install it, or leave the proof out with --without-proof:\n' >&2
  printf '  - %s\n' "${wanting[@]}" >&2
  exit 1
fi
