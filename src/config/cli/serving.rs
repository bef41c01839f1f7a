//! The flags `--web.*`, and those of `healthcheck`, which looks from the other side.

use std::path::PathBuf;

use clap::Args;

use crate::config::settings::{Listen, MAX_REQUESTS, TELEMETRY_PATH};
use crate::config::values;
use crate::web::probe::Probe;

/// What is served, and where.
#[derive(Args, Clone, Debug)]
pub struct WebArgs {
    #[command(flatten)]
    /// Where it can be found.
    pub at: WhereArgs,

    /// Listen on the sockets that systemd opened, in place of --web.listen-address
    #[arg(long = "web.systemd-socket", help_heading = WEB)]
    pub systemd_socket: bool,

    /// Path of the metrics
    #[arg(
        long = "web.telemetry-path",
        value_name = "PATH",
        default_value = TELEMETRY_PATH,
        value_parser = values::telemetry_path,
        help_heading = WEB
    )]
    pub telemetry_path: String,

    /// Scrapes at once, others get 503; 0 is no limit
    #[arg(
        long = "web.max-requests",
        value_name = "NUMBER",
        default_value_t = MAX_REQUESTS,
        help_heading = WEB
    )]
    pub max_requests: u32,

    /// Allow POST /-/reload and POST /-/quit
    #[arg(long = "web.enable-lifecycle", help_heading = WEB)]
    pub enable_lifecycle: bool,

    /// Answer /-/healthy and /-/ready without a password, too
    #[arg(long = "web.open-health", help_heading = WEB)]
    pub open_health: bool,
}

/// Where the exporter can be found, and how.
#[derive(Args, Clone, Debug)]
pub struct WhereArgs {
    /// Addresses to listen on.
    #[arg(
        help = "Address to listen on, repeatable: :PORT (all addresses), HOST:PORT, [::1]:PORT or unix:PATH",
        long = "web.listen-address",
        value_name = "ADDRESS",
        default_value = ":10180",
        value_parser = values::listen,
        help_heading = WEB
    )]
    pub listen: Vec<Listen>,

    /// File with TLS, passwords and limits, in the format of Prometheus' exporter-toolkit
    #[arg(long = "web.config.file", value_name = "PATH", help_heading = WEB)]
    pub web_config_file: Option<PathBuf>,

    /// What stands before every path [default: the path of --web.external-url]
    #[arg(
        long = "web.route-prefix",
        value_name = "PATH",
        value_parser = values::route_prefix,
        help_heading = WEB
    )]
    pub route_prefix: Option<String>,

    /// Address under which people reach it, for links, if a proxy stands before it
    #[arg(
        long = "web.external-url",
        value_name = "URL",
        value_parser = values::external_url,
        help_heading = WEB
    )]
    pub external_path: Option<String>,
}

/// The flags of `healthcheck`.
#[derive(Args, Clone, Debug)]
pub struct HealthcheckArgs {
    /// Whole address to ask [default: /-/healthy where the flags below say that it listens]
    #[arg(long, value_name = "URL", value_parser = Probe::from_url)]
    pub url: Option<Probe>,

    #[command(flatten)]
    /// The flags of the exporter.
    pub at: WhereArgs,
}

impl WhereArgs {
    /// What stands before every path of a request.
    pub fn route_prefix(&self) -> String {
        self.route_prefix.clone().or_else(|| self.external_path.clone()).unwrap_or_default()
    }

    /// What stands before every path in a link.
    pub fn link_prefix(&self) -> String {
        self.external_path.clone().or_else(|| self.route_prefix.clone()).unwrap_or_default()
    }
}

const WEB: &str = "Web server";
