//! The Compose files, by Compose itself.

use serde_json::Value;

use super::{check_config, content, read, root, tool, yaml};
use crate::prometheus::tool as needed;

const FILES: [&str; 2] = ["compose.yaml", "compose.real.yaml"];

/// The whole of a file as Compose understands it.
fn understood(file: &str) -> Option<Value> {
    let mut compose = tool("DOCKER_COMPOSE")?;
    compose.arg("--file").arg(root(&format!("deploy/compose/{file}")));
    compose.env("COMETCHAT_APP_ID", "0123456789abcdef").env("COMETCHAT_REGION", "us");
    Some(serde_json::from_str(&content(compose.args(["config", "--format=json"]))).unwrap())
}

#[test]
fn services_may_nothing_that_they_do_not_need() {
    for file in FILES {
        let Some(whole) = understood(file) else { return };
        let services = whole["services"].as_object().unwrap();
        assert_eq!(services.len(), if file == "compose.yaml" { 5 } else { 4 });
        for (name, service) in services {
            let place = format!("{file}: {name}");
            assert_eq!(service["read_only"], true, "{place}");
            assert_eq!(service["cap_drop"], serde_json::json!(["ALL"]), "{place}");
            assert_eq!(service["security_opt"], serde_json::json!(["no-new-privileges:true"]));
            let limits = &service["deploy"]["resources"]["limits"];
            assert!(limits["memory"].is_string() && limits["pids"].is_u64(), "{place}: {limits}");
            // That of the exporter is in its image.
            assert!(service["healthcheck"].is_object() || name == "exporter", "{place}");
            let image = service["image"].as_str().unwrap();
            let (_, tag) = image.split_once(':').expect("a version");
            assert_ne!(tag, "latest", "{place}");
            for port in service["ports"].as_array().into_iter().flatten() {
                assert_eq!(port["host_ip"], "127.0.0.1", "{place}: open to the network");
            }
        }
    }
}

#[test]
fn files_that_are_mounted_exist() {
    for file in FILES {
        let Some(whole) = understood(file) else { return };
        for service in whole["services"].as_object().unwrap().values() {
            for volume in service["volumes"].as_array().into_iter().flatten() {
                let source = volume["source"].as_str().unwrap();
                let is_there = volume["type"] != "bind" || std::path::Path::new(source).exists();
                assert!(is_there, "{file}: {source}");
            }
        }
    }
}

#[test]
fn the_real_app_has_its_key_as_a_secret_and_nothing_simulated() {
    let Some(whole) = understood("compose.real.yaml") else { return };
    let exporter = &whole["services"]["exporter"];
    let variables = exporter["environment"].as_object().unwrap();
    assert_eq!(variables["COMETCHAT_API_KEY_FILE"], "/run/secrets/cometchat_api_key");
    assert_eq!(variables.len(), 3, "no key in a variable: {variables:?}");
    assert_eq!(exporter["command"], serde_json::json!([]));
    assert!(!whole.to_string().contains("simulat"), "{whole}");
}

#[test]
fn the_exporter_and_prometheus_take_their_files() {
    check_config(&read("deploy/compose/exporter.yaml"));
    let config = root("deploy/compose/prometheus.yml");
    for (variable, name) in [("PROMTOOL", "promtool"), ("PROMTOOL_NEWER", "promtool")] {
        let mut promtool = std::process::Command::new(needed(variable, name));
        content(promtool.args(["check", "config", &config]));
    }
}

#[test]
fn prometheus_is_where_grafana_and_the_alerts_look_for_it() {
    let source = yaml(&read("grafana/provisioning/datasources/cometchat.yaml"));
    assert_eq!(source["datasources"][0]["url"], "http://prometheus:9090");
    let prometheus = yaml(&read("deploy/compose/prometheus.yml"));
    let interval = &prometheus["global"]["scrape_interval"];
    assert_eq!(&source["datasources"][0]["jsonData"]["timeInterval"], interval);
    let exporter = &prometheus["scrape_configs"][0];
    // The alerts find the exporter by such a job.
    assert!(exporter["job_name"].as_str().unwrap().contains("cometchat"));
    assert_eq!(exporter["static_configs"][0]["targets"][0], "exporter:10180");
}
