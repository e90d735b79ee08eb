#!/usr/bin/env bash
# Installs what a fresh machine lacks, and nothing twice: `scripts/bootstrap.sh run|test`.
# run   what the running system needs (Python and npm packages, Mosquitto, what draws PDF files)
# test  the same, a browser, and the NGSI-LD clients that tests drive
set -euo pipefail
cd "$(dirname "$0")/.."

purpose=${1:-run}
export UV_NO_PROGRESS=1 UV_PYTHON_DOWNLOADS=never PIP_DISABLE_PIP_VERSION_CHECK=1
# A wheel that lies on another disk than uv's cache is copied, not linked; there is no need to say so.
export UV_LINK_MODE=${UV_LINK_MODE:-copy}
# Trust what this machine trusts, so that installing works behind an organisation's proxy, too.
authorities=/etc/ssl/certs/ca-certificates.crt
if [ -f "$authorities" ]; then
  export UV_SYSTEM_CERTS=${UV_SYSTEM_CERTS:-1}
  export NODE_EXTRA_CA_CERTS=${NODE_EXTRA_CA_CERTS:-$authorities}
fi

say() { printf '  %s\n' "$*" >&2; }
fail() { printf 'onsil: %s\n' "$*" >&2; exit 1; }

# Two builds of one checkout wait for each other.
exec 9>.bootstrap.lock
flock -n 9 || { say "another build of this checkout is running; waiting for it"; flock 9; }

quietly() { # quietly WORDS COMMAND… : one line a step; the whole output only when it fails
  local words=$1 log
  shift
  log=$(mktemp)
  say "$words"
  if ! "$@" >"$log" 2>&1 </dev/null 9>&-; then
    cat "$log" >&2
    rm -f "$log"
    fail "this step failed: $words"
  fi
  rm -f "$log"
}

apt_updated=
debian() { # debian PACKAGE… : install them; needs root or sudo without a password
  local as=()
  if [ "$(id -u)" -ne 0 ]; then
    if command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
      as=(sudo -n)
    else
      fail "missing on this machine: $*. Ask an administrator to run:
  apt-get update && apt-get install -y --no-install-recommends $*
and start again."
    fi
  fi
  command -v apt-get >/dev/null || fail "missing on this machine: $* (and this is not a Debian system)"
  if [ -z "$apt_updated" ]; then
    quietly "reading Debian's package lists" "${as[@]}" apt-get update
    apt_updated=1
  fi
  quietly "installing $* (Debian)" "${as[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends "$@"
}

have() { PATH="$PATH:/usr/sbin:/sbin" command -v "$1" >/dev/null 2>&1; }
libraries=$(PATH="$PATH:/usr/sbin:/sbin" ldconfig -p 2>/dev/null || true)
have_library() { [[ "$libraries" == *"$1"* ]]; }

missing=()
have mosquitto || missing+=(mosquitto)
have node || missing+=(nodejs)
have npm || missing+=(npm)
# Statements in PDF: WeasyPrint lays text out with Pango, in fonts that have Hangul.
have_library libpango-1.0.so.0 || missing+=(libpango-1.0-0)
have_library libpangoft2-1.0.so.0 || missing+=(libpangoft2-1.0-0)
have_library libharfbuzz-subset.so.0 || missing+=(libharfbuzz-subset0)
compgen -G '/usr/share/fonts/truetype/nanum/*.ttf' >/dev/null || missing+=(fonts-nanum)
if [ "$purpose" = test ]; then
  have chromium || missing+=(chromium)
fi

python=
for candidate in python3.11 python3 python3.12 python3.13; do
  if command -v "$candidate" >/dev/null &&
    "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; then
    python=$(command -v "$candidate")
    break
  fi
done
if [ -z "$python" ]; then
  missing+=(python3 python3-venv)
elif ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  missing+=(python3-venv)
fi
if [ "${#missing[@]}" -gt 0 ]; then debian "${missing[@]}"; fi
python=${python:-$(command -v python3)}

mark() { cat "$@" | sha256sum | cut -d' ' -f1; }
done_before() { [ -f "$1" ] && [ "$(cat "$1")" = "$2" ]; }

# The installer lives in a folder of its own, so that syncing the other one does not remove it.
wanted=$(mark requirements-tools.lock)
if ! done_before .tools/.stamp "$wanted"; then
  rm -rf .tools
  quietly "installing the installer (uv)" "$python" -m venv .tools
  quietly "fetching uv" .tools/bin/python -m pip install --quiet --require-hashes \
    --no-deps -r requirements-tools.lock
  echo "$wanted" >.tools/.stamp
fi

wanted=$(mark requirements.lock pyproject.toml)
if ! done_before .venv/.stamp "$wanted" || ! .venv/bin/python -c 'import onsil' 2>/dev/null; then
  if ! .venv/bin/python -c '' 2>/dev/null; then
    rm -rf .venv
    quietly "making the Python environment" .tools/bin/uv venv --python "$python" .venv
  fi
  quietly "installing Python packages" .tools/bin/uv pip sync --python .venv/bin/python \
    --require-hashes requirements.lock
  quietly "installing onsil itself" .tools/bin/uv pip install --python .venv/bin/python \
    --no-deps --no-build-isolation --offline -e .
  echo "$wanted" >.venv/.stamp
fi

# Programs that talk to the hub in tests have an environment of their own: their pins are old.
wanted=$(mark requirements-clients.lock)
if [ "$purpose" = test ] && ! done_before .clients/.stamp "$wanted"; then
  rm -rf .clients
  quietly "making the environment of the NGSI-LD clients" .tools/bin/uv venv --python "$python" .clients
  quietly "installing the NGSI-LD clients" .tools/bin/uv pip sync --python .clients/bin/python \
    --require-hashes requirements-clients.lock
  echo "$wanted" >.clients/.stamp
fi

wanted=$(mark package-lock.json package.json)
if ! done_before node_modules/.stamp "$wanted"; then
  quietly "installing npm packages" npm ci --ignore-scripts --no-audit --no-fund
  echo "$wanted" >node_modules/.stamp
fi
quietly "checking static files and translations" .venv/bin/python -m onsil.web.build
