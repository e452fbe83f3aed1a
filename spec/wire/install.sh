#!/bin/sh
# The packages that `make test-wire` holds our providers against, into build/wire; once, and again when
# what is wanted is another. Their install scripts are not run.
set -u
cd "$(dirname "$0")/../.."
wanted=$(cat spec/wire/package.json spec/wire/package-lock.json spec/wire/install.sh | cksum)
[ "$(cat build/wire/installed 2> /dev/null)" = "$wanted" ] && exit 0
command -v npm > /dev/null || sh host/deps.sh nodejs npm || exit 1
echo "installing: the packages of spec/wire"
mkdir -p build/wire
rm -f build/wire/installed
cp spec/wire/package.json spec/wire/package-lock.json build/wire/
if ! (cd build/wire && npm ci --ignore-scripts --no-audit --no-fund --no-update-notifier --loglevel error); then
  echo "Could not install the packages of spec/wire/package.json: without npm's registry there is no make test-wire." >&2
  echo "See that this machine reaches it (npm ping), then run make test-wire again." >&2
  exit 1
fi
# The node of the packages, for the system's may be too old for them; not every npm puts it among the programs.
(cd build/wire && ln -sf "$(ls node_modules/node-linux-*/bin/node 2> /dev/null || command -v node)" node)
echo "$wanted" > build/wire/installed
