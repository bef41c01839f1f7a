//! The chart by Helm itself, and the manifests that are rendered from it.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

use super::{check_config, content, read, root, tool, yaml};

const CHART: &str = "deploy/helm/prometheus-cometchat-exporter";
/// Kubernetes versions that its makers still mend.
const KUBERNETES: [&str; 3] = ["1.35", "1.36", "1.37"];

/// What Helm makes of a file of values, by kind and name.
fn rendered(values: &str, flags: &[&str]) -> Option<(String, BTreeMap<String, Value>)> {
    let mut helm = tool("HELM")?;
    let values = root(&format!("{CHART}/ci/{values}-values.yaml"));
    helm.args(["template", "x", &root(CHART), "--values", &values]).args(flags);
    let text = content(&mut helm);
    let documents = text.split("\n---\n").map(|it| it.trim_start_matches("---\n"));
    let objects = documents.map(yaml).map(|object| {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        (format!("{}/{}", text(&object["kind"]), text(&object["metadata"]["name"])), object)
    });
    let objects = objects.collect();
    Some((text, objects))
}

#[test]
fn helm_has_nothing_to_say_about_the_chart() {
    for values in ["full", "minimal"] {
        let Some(mut helm) = tool("HELM") else { return };
        let values = root(&format!("{CHART}/ci/{values}-values.yaml"));
        let said = content(helm.args(["lint", "--strict", &root(CHART), "--values", &values]));
        assert!(said.contains("1 chart(s) linted, 0 chart(s) failed"), "{said}");
    }
}

#[test]
fn values_that_would_not_work_are_refused_with_a_reason() {
    let cases: [(&[&str], &str); 4] = [
        (&["--set=replicas=2"], "additional properties 'replicas' not allowed"),
        (&["--set=replicaCount=2"], "replicas agree only from a date on"),
        (&["--set=config.apps[0].api_key=k"], "'/config/apps/0': 'not' failed"),
        (&["--set=config.apps=null"], "config"),
    ];
    for (flags, reason) in cases {
        let Some(mut helm) = tool("HELM") else { return };
        let values = root(&format!("{CHART}/ci/minimal-values.yaml"));
        helm.args(["template", "x", &root(CHART), "--values", &values]).args(flags);
        let output = helm.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(reason), "{flags:?}: {said}");
    }
}

#[test]
fn the_rules_and_dashboards_of_the_chart_are_those_of_the_folders() {
    let Some((_, objects)) = rendered("full", &[]) else { return };
    let rule = &objects["PrometheusRule/x-prometheus-cometchat-exporter"]["spec"]["groups"];
    let files = ["rules", "alerts"].map(|it| read(&format!("prometheus/cometchat.{it}.yml")));
    // The values of the test move the runbooks and one bound.
    let book = "https://github.com/OWNER/cometchat-exporter/blob/main/docs/runbooks.md";
    let files = files.map(|text| text.replace(book, "https://runbooks.example.com/cometchat"));
    let groups = files.iter().flat_map(|text| yaml(text)["groups"].as_array().unwrap().clone());
    let mut groups: Vec<_> = groups.collect();
    let guard = &mut groups[0]["rules"][0];
    assert_eq!(guard["record"], "cometchat:calls_in_1h:guard");
    guard["expr"] = "vector(50)".into();
    assert_eq!(rule.as_array().unwrap(), &groups);
    for name in ["calls", "usage", "exporter", "fleet"] {
        let map = &objects[&format!("ConfigMap/x-prometheus-cometchat-exporter-{name}")];
        assert_eq!(map["metadata"]["labels"]["grafana_dashboard"], "1");
        let text = map["data"][format!("cometchat-{name}.json")].as_str().unwrap();
        assert_eq!(text.trim_end(), read(&format!("grafana/{name}.json")).trim_end());
    }
}

#[test]
fn the_pod_is_restricted_and_asks_for_what_the_exporter_has() {
    let Some((_, objects)) = rendered("full", &[]) else { return };
    let pod = &objects["StatefulSet/x-prometheus-cometchat-exporter"]["spec"]["template"]["spec"];
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    assert_eq!(pod["securityContext"]["runAsUser"], 65532, "as in the Dockerfile");
    assert_eq!(pod["securityContext"]["seccompProfile"]["type"], "RuntimeDefault");
    assert_eq!(pod["automountServiceAccountToken"], false);
    let container = &pod["containers"][0];
    let context = &container["securityContext"];
    assert_eq!(context["allowPrivilegeEscalation"], false);
    assert_eq!(context["readOnlyRootFilesystem"], true);
    assert_eq!(context["capabilities"]["drop"], serde_json::json!(["ALL"]));
    let help = content(&mut crate::process::binary(&["run", "--help"]));
    for arg in container["args"].as_array().unwrap() {
        let flag = arg.as_str().unwrap().split('=').next().unwrap();
        assert!(help.contains(flag), "{flag} is no flag");
    }
    assert_eq!(container["livenessProbe"]["httpGet"]["path"], "/-/healthy");
    assert_eq!(container["readinessProbe"]["httpGet"]["path"], "/-/ready");
    let config = &objects["ConfigMap/x-prometheus-cometchat-exporter"]["data"]["config.yaml"];
    check_config(config.as_str().unwrap());
}

#[test]
fn kubernetes_takes_what_is_rendered() {
    let Some((text, _)) = rendered("full", &[]) else { return };
    let folder = crate::process::Folder::new();
    let file = folder.config("rendered.yaml", &text);
    let plain = root("deploy/kubernetes/exporter.yaml");
    for version in KUBERNETES {
        let Some(mut validate) = tool("KUBERNETES_VALIDATE") else { return };
        validate.args(["--strict", "--kubernetes-version", version]);
        content(validate.arg(&file).arg(&plain));
    }
}

#[test]
fn the_plain_manifests_are_what_the_chart_renders() {
    if tool("HELM").is_some() {
        content(Command::new(root("deploy/kubernetes/render")).arg("--check"));
    }
}

#[test]
fn the_versions_are_those_of_the_crate() {
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(yaml(&read(&format!("{CHART}/Chart.yaml")))["appVersion"], version);
    assert!(read("Dockerfile").contains(&format!("\nARG VERSION={version}\n")));
    assert!(
        read("Dockerfile")
            .contains(&format!("\nARG RUST_VERSION={}", env!("CARGO_PKG_RUST_VERSION")))
    );
}
