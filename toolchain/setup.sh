# Sourced by the commands beside it. Checks what they expect to find, says what is missing, installs it
# on Debian, and builds. Git and Node 20 or newer with npm are the only things expected.

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

BUILD_PACKAGES=(cmake ninja-build clang-19 lld-19 llvm-19)
TEST_PACKAGES=(libclang-rt-19-dev libstdc++-12-dev libsimde-dev libgtest-dev
    liblz4-dev libssl-dev libzstd-dev nlohmann-json3-dev emscripten clang-format-19 chromium)
BENCH_PACKAGES=(valgrind)

say() { printf '\n== %s\n' "$*"; }
fail() {
    printf '\n%s\n' "$@" >&2
    exit 1
}

check_prerequisites() {
    command -v git >/dev/null || fail "git is missing. Install git, then run this again."
    command -v npm >/dev/null && command -v node >/dev/null ||
        fail "Node is missing. Install Node 20 or newer with npm, then run this again."
    local major
    major=$(node -p 'process.versions.node.split(".")[0]')
    [ "$major" -ge 20 ] || fail "Node $(node -v) is too old. Install Node 20 or newer."
}

# install_packages NAME...: installs the missing Debian packages.
install_packages() {
    local missing=() package
    if ! command -v apt-get >/dev/null; then
        fail "This is not Debian, so nothing can be installed here. Needed, by their Debian names:" \
            "  $*" \
            "With all of them in PATH (or WASI_SDK_PATH set for the modules), use the CMake presets" \
            "as toolchain/demo and toolchain/test do."
    fi
    for package in "$@"; do
        dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
            missing+=("$package")
    done
    [ ${#missing[@]} -eq 0 ] && return
    local as_root=()
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || fail "Not root and no sudo. As root run:" \
            "  apt-get install --no-install-recommends ${missing[*]}"
        as_root=(sudo)
    fi
    say "Installing Debian packages: ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    "${as_root[@]}" apt-get -qq -o DPkg::Lock::Timeout=600 update
    "${as_root[@]}" apt-get -qq -y --no-install-recommends -o DPkg::Lock::Timeout=600 \
        -o Dpkg::Use-Pty=0 install "${missing[@]}" >/dev/null ||
        fail "apt-get could not install: ${missing[*]}" \
            "On another release than Debian 12, install these versions by other means."
}

# Installs the npm packages of package-lock.json unless these very ones are installed.
install_npm_packages() {
    cmp -s package-lock.json node_modules/.installed-lock && return
    say "Installing npm packages of package-lock.json into node_modules"
    npm ci --no-audit --no-fund --loglevel=error
    cp package-lock.json node_modules/.installed-lock
}

build_modules() {
    say "Building rvf_kernel.wasm and rvf_control.wasm"
    cmake --preset wasm >/dev/null
    cmake --build --preset wasm
}

build_package() {
    say "Building the JavaScript package"
    npm run --silent build -w rvf-wasm
}
