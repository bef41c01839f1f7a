//! The Compose stack, started through Compose on podman: simulator, exporter and Prometheus as their files
//! say, with this machine's network and Prometheus in place of the ones that would be pulled. It takes the
//! ports of the stack, so only `tests/run --long` asks for it. Grafana cannot be had here.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::{content, root, tool};
use crate::process::http::get;
use crate::process::{Folder, Program, until_ok};
use crate::prometheus::prometheus_of;

const CONTAINERS_CONF: &str = include_str!("containers.conf");
const PROMETHEUS: &str = "localhost/cometchat-exporter-test-prometheus";
const SERVICES: [&str; 3] = ["simulator", "exporter", "prometheus"];

struct Stack {
    folder: Folder,
    podman: String,
    project: String,
    /// The engine, which ends with the test.
    _engine: Program,
}

impl Stack {
    fn start(image: &str) -> Option<Self> {
        let (podman, prometheus) = (env::var("PODMAN").ok()?, prometheus_of("PROMETHEUS_3")?);
        tool("DOCKER_COMPOSE")?;
        let folder = Folder::new();
        folder.config("containers.conf", CONTAINERS_CONF);
        stand_in(&folder, &prometheus);
        let services = SERVICES.map(|name| {
            let image = if name == "prometheus" { PROMETHEUS } else { image };
            format!("  {name}: {{ <<: *here, image: \"{image}\", build: !reset null }}\n")
        });
        let here = r#"x-here: &here
  network_mode: host
  ports: !reset []
  logging: !reset null
  extra_hosts: ["exporter:127.0.0.1", "simulator:127.0.0.1", "alertmanager:127.0.0.1"]
"#;
        // Prometheus is linked for this machine.
        let libraries = "  prometheus: { volumes: [\"/lib:/lib:ro\", \"/lib64:/lib64:ro\"] }\n";
        let text = format!("{here}services:\n{}", services.concat());
        folder.config("here.yaml", &text);
        folder.config("libraries.yaml", &format!("services:\n{libraries}"));
        let socket = format!("unix://{}", folder.path().join("podman.sock").display());
        let mut engine = Command::new(&podman);
        engine.env("CONTAINERS_CONF", folder.path().join("containers.conf"));
        let engine = Program::spawn(engine.args(["system", "service", "--time=0", &socket]));
        let project = format!("cometchat-test-{}", std::process::id());
        let stack = Self { folder, podman, project, _engine: engine };
        until_ok("the engine", || {
            let there = stack.folder.path().join("podman.sock").exists();
            there.then_some(()).ok_or_else(|| "no socket".to_owned())
        });
        content(
            stack.compose().args(["up", "--detach", "--pull=never", "--no-build"]).args(SERVICES),
        );
        Some(stack)
    }

    fn compose(&self) -> Command {
        let mut compose = Command::new(env::var("DOCKER_COMPOSE").unwrap());
        let socket = self.folder.path().join("podman.sock");
        compose.env("DOCKER_HOST", format!("unix://{}", socket.display()));
        for file in [
            PathBuf::from(root("deploy/compose/compose.yaml")),
            self.folder.path().join("here.yaml"),
            self.folder.path().join("libraries.yaml"),
        ] {
            compose.arg("--file").arg(file);
        }
        compose.args(["--project-name", &self.project]);
        compose
    }

    fn podman(&self, args: &[&str]) {
        let mut podman = Command::new(&self.podman);
        podman.env("CONTAINERS_CONF", self.folder.path().join("containers.conf"));
        content(podman.args(args));
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        let _ = self.compose().args(["down", "--volumes", "--timeout=1"]).output();
        let _ = Command::new(&self.podman).args(["rmi", "--force", PROMETHEUS]).output();
    }
}

/// An image of Prometheus as the official one is laid out.
fn stand_in(folder: &Folder, prometheus: &str) {
    let context = folder.path().join("prometheus");
    fs::create_dir_all(context.join("data")).unwrap();
    fs::copy(prometheus, context.join("prometheus")).unwrap();
    let text = "FROM scratch\nCOPY prometheus /bin/prometheus\n\
                COPY --chown=65534:65534 data /prometheus\nUSER 65534\nVOLUME /prometheus\n\
                ENTRYPOINT [\"/bin/prometheus\"]\n";
    fs::write(context.join("Dockerfile"), text).unwrap();
    let mut build = Command::new(env::var("BUILDAH").unwrap());
    build.args([
        "build",
        "--isolation=chroot",
        "--pull-never",
        "--format=docker",
        "--tag",
        PROMETHEUS,
    ]);
    content(build.arg(Path::new(&context)));
}

/// Whether Prometheus reaches the exporter by its name, as 1 or 0.
fn is_seen(wanted: f64) -> Result<(), String> {
    let up = asked("up{job=\"cometchat\",instance=\"exporter:10180\"}")?;
    if up == wanted { Ok(()) } else { Err(format!("up is {up}")) }
}

/// The first value of a query.
fn asked(query: &str) -> Result<f64, String> {
    let answer = get("127.0.0.1:9090", &format!("/api/v1/query?query={query}"))?;
    let reply: Value = serde_json::from_str(&answer.body).map_err(|error| error.to_string())?;
    let value =
        reply["data"]["result"][0]["value"][1].as_str().ok_or_else(|| answer.body.clone())?;
    value.parse().map_err(|_| answer.body)
}

#[test]
fn prometheus_scrapes_the_exporter_by_its_name_and_counts_on_over_a_kill() {
    let Ok(image) = env::var("WHOLE_IMAGE") else {
        eprintln!("left out: WHOLE_IMAGE is not set; tests/run --long builds it");
        return;
    };
    let Some(stack) = Stack::start(&image) else { return };
    until_ok("a scrape", || is_seen(1.0));
    let before = until_ok("counted calls", || asked("sum(cometchat_calls_total)"));
    assert!(before > 0.0);
    // The rules are loaded and have results.
    until_ok("a recorded series", || asked("count({__name__=~\"cometchat:.*\"})"));
    let exporter = format!("{}-exporter-1", stack.project);
    stack.podman(&["kill", "--signal=KILL", &exporter]);
    until_ok("the exporter is seen to be down", || is_seen(0.0));
    stack.podman(&["start", &exporter]);
    until_ok("a scrape after it", || is_seen(1.0));
    assert_eq!(asked("sum(resets(cometchat_calls_total[10m]))"), Ok(0.0));
    assert!(asked("sum(cometchat_calls_total)").unwrap() >= before);
}
