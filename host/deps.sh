# sh host/deps.sh PACKAGE…  installs the Debian packages that are missing, or says which they are.
missing=
for package; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
if ! command -v apt-get > /dev/null; then
  echo "This is not a Debian system. Install what your system calls these packages, then run make again:" >&2
  echo " $missing" >&2
  exit 1
fi
echo "installing:$missing"
if [ "$(id -u)" -eq 0 ]; then root=; else root=sudo; fi
$root apt-get update -qq &&
  DEBIAN_FRONTEND=noninteractive $root apt-get install -y -qq --no-install-recommends $missing > /dev/null || {
    echo "Could not install:$missing" >&2
    echo "Install them as root (apt-get install$missing), then run make again." >&2
    exit 1
  }
