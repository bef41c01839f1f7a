//! The image: what the Dockerfile makes runs without root on a read-only root, is scraped from outside,
//! and goes on counting after it was killed. Left out where there is no podman; `tests/run` brings it.
#![expect(
    clippy::disallowed_methods,
    reason = "a real container lives in real time, on real files"
)]

use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::process::samples::Samples;
use crate::process::{Exporter, Folder, Program, until_ok};

const DOCKERFILE: &str = include_str!("../../Dockerfile");
/// Where the state lies in the image.
const STATE: &str = "/var/lib/cometchat-exporter";
const KEY: &str = "simulated-key";

const CONTAINERS_CONF: &str = include_str!("deploy/containers.conf");

/// The last stage of the Dockerfile as it stands, which copies from a folder that the test has filled in
/// place of the stage that compiles.
fn last_stage() -> String {
    let (_, last) = DOCKERFILE.split_once("FROM scratch\n").expect("its last stage is empty");
    format!("FROM scratch AS build\nCOPY image /image\n\nFROM scratch\n{last}")
}

/// What the allocator is told.
const ALLOCATOR: [(&str, &str); 2] =
    [("MALLOC_ARENA_MAX", "2"), ("MALLOC_MMAP_THRESHOLD_", "65536")];

#[test]
fn the_allocator_is_told_the_same_wherever_it_is_told_or_measured() {
    let words = ALLOCATOR.map(|(name, value)| format!("{name}={value}")).join(" ");
    assert!(DOCKERFILE.contains(&format!("\nENV {words}\n")));
    let unit = include_str!("../../deploy/systemd/cometchat-exporter.service");
    assert!(unit.contains(&format!("\nEnvironment={words}\n")));
    let pairs = ALLOCATOR.map(|(name, value)| format!("\"{name}\": \"{value}\"")).join(", ");
    assert!(include_str!("../tools/figures.py").contains(&format!("{{{pairs}}}")));
}

#[test]
fn the_build_sees_every_file_that_it_copies() {
    let seen: Vec<&str> = include_str!("../../.dockerignore")
        .lines()
        .filter_map(|line| line.strip_prefix('!'))
        .collect();
    let copies = DOCKERFILE.lines().filter_map(|line| line.strip_prefix("COPY "));
    for words in copies.filter(|words| !words.starts_with("--from")) {
        let names: Vec<&str> = words.split(' ').collect();
        for name in &names[..names.len() - 1] {
            assert!(seen.contains(name), "{name} is copied, and .dockerignore hides it");
        }
    }
}

/// The tools, and what was made with them; that is taken away at the end.
struct Podman {
    folder: Folder,
    podman: String,
    /// The name of the image, the container and the volume.
    name: String,
    image: String,
    /// The program in the image was linked for this machine, so that it needs its libraries.
    is_dynamic: bool,
}

impl Podman {
    /// `None` where it cannot be had; the log of the test says why.
    fn with_image() -> Option<Self> {
        let (Ok(podman), Ok(buildah)) = (env::var("PODMAN"), env::var("BUILDAH")) else {
            eprintln!("left out: PODMAN and BUILDAH are not set; tests/run brings them if it can");
            return None;
        };
        let folder = Folder::new();
        folder.config("containers.conf", CONTAINERS_CONF);
        let name = format!("cometchat-exporter-test-{}", std::process::id());
        // `tests/run --long` has built the whole Dockerfile.
        let whole = env::var("WHOLE_IMAGE").ok();
        let is_dynamic = whole.is_none();
        let image = whole.unwrap_or_else(|| format!("localhost/{name}"));
        let podman = Self { folder, podman, name, image, is_dynamic };
        if podman.is_dynamic {
            podman.build(&buildah);
        }
        Some(podman)
    }

    fn build(&self, buildah: &str) {
        let image = self.folder.path().join("image");
        for folder in ["bin", "etc/ssl/certs", "state"] {
            fs::create_dir_all(image.join(folder)).unwrap();
        }
        fs::copy(env!("CARGO_BIN_EXE_cometchat-exporter"), image.join("bin/cometchat-exporter"))
            .unwrap();
        fs::write(image.join("etc/ssl/certs/ca-certificates.crt"), "").unwrap();
        fs::copy(
            concat!(env!("CARGO_MANIFEST_DIR"), "/LICENSE"),
            self.folder.path().join("LICENSE"),
        )
        .unwrap();
        let dockerfile = self.folder.config("Dockerfile", &last_stage());
        let mut build = Command::new(buildah);
        build.args(["build", "--isolation=chroot", "--pull-never", "--format=docker"]);
        build.arg(format!("--tag={}", self.image)).arg("--file").arg(dockerfile);
        said(build.arg(self.folder.path()));
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.podman);
        command.env("CONTAINERS_CONF", self.folder.path().join("containers.conf")).args(args);
        command
    }

    /// The exporter in a container that may nothing, with a volume for its state.
    fn run(&self, base_url: &str) -> Exporter {
        let mount = |host: &Path, inside: &str| format!("--volume={}:{inside}:ro", host.display());
        let mut command = self.command(&["run", "--rm", "--pull=never", "--network=host"]);
        command.args(["--read-only", "--cap-drop=all", "--security-opt=no-new-privileges"]);
        // Nothing here would run the checks; the test asks itself.
        command.args(["--no-healthcheck", &format!("--name={}", self.name)]);
        command.arg(format!("--volume={}:{STATE}", self.name));
        command.arg(mount(&self.folder.path().join("key"), "/run/secrets/key"));
        if self.is_dynamic {
            let libraries = ["/lib", "/lib64"].iter().filter(|path| Path::new(path).exists());
            command.args(libraries.map(|path| mount(Path::new(path), path)));
        }
        command.args(["--env=COMETCHAT_API_KEY_FILE=/run/secrets/key", &self.image]);
        command.args(["--cometchat.app-id=simulated", "--count.from=1h", "--poll.interval=1s"]);
        command.arg(format!("--cometchat.base-url={base_url}"));
        Exporter::spawn(command.arg("--web.listen-address=127.0.0.1:0"))
    }

    fn inspect(&self, what: &str, name: &str) -> Value {
        let output = said(&mut self.command(&[what, "inspect", name]));
        serde_json::from_slice::<Value>(&output.stdout).unwrap()[0].take()
    }

    /// Kills it at whatever instruction it is, and waits until it is gone.
    fn kill(&self, exporter: Exporter) {
        said(&mut self.command(&["kill", "--signal=KILL", &self.name]));
        exporter.program.ends();
        until_ok("the container is gone", || {
            let gone = self.command(&["container", "exists", &self.name]).status().unwrap();
            if gone.success() { Err("it is there".to_owned()) } else { Ok(()) }
        });
    }
}

impl Drop for Podman {
    fn drop(&mut self) {
        let _ = self.command(&["rm", "--force", "--time=0", &self.name]).output();
        let _ = self.command(&["volume", "rm", "--force", &self.name]).output();
        if self.is_dynamic {
            let _ = self.command(&["rmi", "--force", &self.image]).output();
        }
    }
}

/// What a command says that must not fail.
#[track_caller]
fn said(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {error}");
    output
}

fn calls(samples: &Samples) -> Option<f64> {
    samples.sum("cometchat_calls_total", &[])
}

#[test]
fn the_image_counts_on_over_a_kill_without_root_on_a_read_only_root() {
    let Some(podman) = Podman::with_image() else { return };
    describes_itself(&podman.inspect("image", &podman.image)["Config"]);
    let key = podman.folder.config("key", KEY);
    open_to_all(&key);
    let mut api =
        Program::start(&["simulate", "--web.listen-address=127.0.0.1:0", "--rate-limit=5000"]);
    let base_url = api.says("base URL:");

    let first = podman.run(&base_url);
    let before = until_ok("the calls of an hour", || {
        let samples = first.scrape();
        calls(&samples).filter(|&n| n > 0.0).map(|_| samples).ok_or_else(|| first.program.log())
    });
    runs_as_nobody(&podman);
    podman.kill(first);
    let second = podman.run(&base_url);
    // At once, before a poll could have read the hour again.
    let after = second.scrape();
    assert!(calls(&after) >= calls(&before), "{:?} after {:?}", calls(&after), calls(&before));
    let epoch = "cometchat_count_from_timestamp_seconds{cometchat_app=\"simulated\"}";
    assert_eq!(after.get(epoch), before.get(epoch));
    asks_itself(&podman, &second);
}

/// The container reads the key as another user.
fn open_to_all(key: &Path) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(key, fs::Permissions::from_mode(0o644)).unwrap();
}

fn describes_itself(config: &Value) {
    assert_eq!(config["User"], "65532:65532");
    assert_eq!(config["WorkingDir"], STATE);
    assert!(config["ExposedPorts"]["10180/tcp"].is_object(), "{config}");
    assert!(config["Volumes"][STATE].is_object(), "{config}");
    assert_eq!(config["Labels"]["org.opencontainers.image.version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(config["Labels"]["org.opencontainers.image.licenses"], "Apache-2.0");
    let env = config["Env"].as_array().unwrap();
    let is_known = |it: &Value| {
        let word = it.as_str().unwrap();
        word.starts_with("PATH=")
            || ALLOCATOR.map(|(name, value)| format!("{name}={value}")).contains(&word.into())
    };
    assert!(env.iter().all(is_known), "nothing of anybody's is baked in: {env:?}");
}

fn runs_as_nobody(podman: &Podman) {
    let pid = podman.inspect("container", &podman.name)["State"]["Pid"].as_u64().unwrap();
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    for line in
        ["Uid:\t65532\t65532", "Gid:\t65532\t65532", "CapEff:\t0000000000000000", "NoNewPrivs:\t1"]
    {
        assert!(status.contains(line), "no {line} in\n{status}");
    }
}

/// The health check of the image, told the port of the test.
fn asks_itself(podman: &Podman, exporter: &Exporter) {
    let check = podman.inspect("image", &podman.image)["Healthcheck"]["Test"].take();
    let words: Vec<&str> =
        check.as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    assert_eq!(words, ["CMD", "/bin/cometchat-exporter", "healthcheck"]);
    let at = |address: String| {
        let mut command = podman.command(&["exec", &podman.name]);
        command.args(&words[1..]).arg(format!("--web.listen-address={address}"));
        command.output().unwrap().status.code()
    };
    assert_eq!(at(exporter.address.to_string()), Some(0));
    assert_eq!(at("127.0.0.1:1".to_owned()), Some(1), "nobody listens there");
}
