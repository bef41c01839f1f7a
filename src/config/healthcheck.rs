//! Whom the command `healthcheck` asks.

use std::path::Path;

use crate::web::probe::{Probe, Target};

use super::cli::{HealthcheckArgs, WhereArgs};
use super::settings::Listen;
use super::surroundings::Surroundings;
use super::web_file;

/// The address that was given, else the one that an exporter with the same flags listens on first.
pub fn probe(args: HealthcheckArgs, around: &dyn Surroundings) -> Probe {
    let HealthcheckArgs { url, at } = args;
    url.unwrap_or_else(|| Probe {
        tls: match at.web_config_file.as_deref() {
            None => Some(false),
            Some(path) => tls(path, around),
        },
        path: format!("{}/-/healthy", at.route_prefix()),
        target: target(&at),
    })
}

fn target(at: &WhereArgs) -> Target {
    match at.listen.first() {
        Some(Listen::Tcp(address)) => Target::Tcp(address.host.clone(), address.port),
        Some(Listen::Unix(path)) => Target::Unix(path.clone()),
        None => Target::Tcp(None, super::settings::LISTEN_PORT),
    }
}

/// Whether the file switches TLS on. Not known if it cannot be used: the exporter runs on with what
/// it was before.
fn tls(path: &Path, around: &dyn Surroundings) -> Option<bool> {
    let text = around.read(path).ok()?;
    web_file::policy(path, &text).ok().map(|policy| policy.tls.is_some())
}
