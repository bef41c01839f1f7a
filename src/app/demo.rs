//! The command `demo`: a simulated API and the exporter in one process, nothing to configure.

use anyhow::Context;

use crate::api::Proxies;
use crate::config::Secret;
use crate::config::cli::DemoArgs;
use crate::config::settings::{
    ApiRegion, AppSettings, CountFrom, CountSettings, KeySource, Listen, LogFormat, LogLevel,
    LogSettings, PollSettings, RECENT_WINDOW_S, Settings, StateSettings, TELEMETRY_PATH,
    WebSettings,
};
use crate::metrics::{Breakdown, Shard};
use crate::sim::Options;

use super::run::Exporter;
use super::simulate::{SimulatedApi, clock};
use super::stop::{Signals, Stopper};
use super::{logging, output};

/// Fresh enough to watch.
const POLL_INTERVAL_MS: i64 = 5_000;
/// Far enough back for every outcome and for a recent window; read in a few seconds.
const COUNTS_BACK_S: i64 = 6 * 3600;
/// Requests a minute: the limit of a paid plan.
const RATE_LIMIT: u32 = 20_000;

/// Runs the demo until SIGTERM or SIGINT.
///
/// # Errors
/// A socket that cannot be bound.
pub async fn demo(args: DemoArgs) -> anyhow::Result<()> {
    let mut signals = Signals::listen().context("cannot listen to signals")?;
    logging::start(LogSettings { level: LogLevel::Warn, format: LogFormat::Logfmt });
    let options = Options { seed: args.world.seed, rate_limit: RATE_LIMIT, ..Options::default() };
    let (app_id, key, what) = (options.app_id.clone(), options.api_key.clone(), options.describe());
    let clock = clock(args.world.speed);
    let api = SimulatedApi::prepare("127.0.0.1:0", options, clock).await?;
    let settings = Settings {
        apps: vec![AppSettings {
            name: "demo".into(),
            app_id,
            api_region: ApiRegion::Custom,
            base_url: api.base_url(),
            key: KeySource::Inline(Secret::new(&key)),
            on_behalf_of: None,
            budget_group: None,
        }],
        shard: Shard::default(),
        poll: PollSettings {
            interval_ms: POLL_INTERVAL_MS,
            rate_limit_per_minute: RATE_LIMIT,
            ..PollSettings::default()
        },
        count: CountSettings { from: CountFrom::Ago(COUNTS_BACK_S), ..CountSettings::default() },
        recent_window_s: RECENT_WINDOW_S,
        breakdown: Breakdown::default(),
        exemplars: false,
        created: false,
        state: StateSettings::Memory,
        web: WebSettings {
            listen: args.listen.into_iter().map(Listen::Tcp).collect(),
            ..WebSettings::default()
        },
        log: LogSettings::default(),
    };
    let exporter = Exporter::prepare(settings, Proxies::Ignored, clock).await?;
    let address = exporter.addresses().first().copied().context("no address to listen on")?;
    let host = if address.ip().is_unspecified() || address.ip().is_loopback() {
        "localhost".to_owned()
    } else {
        address.ip().to_string()
    };
    let at = format!("{host}:{}", address.port());
    output::say(&format!(
        "{what}\n\
         Simulated API:  {}  (truth: http://{}/truth)\n\
         Metrics:        http://{at}{TELEMETRY_PATH}\n\
         Page:           http://{at}/\n\
         Prometheus job: {{job_name: cometchat, static_configs: [{{targets: ['{at}']}}]}}  \
         (Ctrl-C ends)\n",
        api.base_url(),
        api.address
    ))?;
    let (stopper, stop) = Stopper::new();
    let running = async { tokio::join!(api.run(stop.clone()), exporter.run(stop, None)) };
    tokio::pin!(running);
    tokio::select! {
        _ = &mut running => return Ok(()),
        _signal = signals.next() => {}
    };
    stopper.stop();
    running.await;
    Ok(())
}
