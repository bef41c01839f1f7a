//! The command `simulate`: only the simulated Calls API.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use anyhow::Context;
use tokio::net::TcpListener;

use crate::clock::Clock;
use crate::config::cli::{Order, Pagination, PastEnd, RateLimitHeaders, SimulateArgs};
use crate::sim::{self, Options, World, serve};
use crate::web::bind;

use super::output;
use super::stop::{Signals, Stop, Stopper};

/// A simulated API that is bound and can be served.
pub(super) struct SimulatedApi {
    listener: TcpListener,
    world: Arc<Mutex<World>>,
    clock: Clock,
    /// Where it listens.
    pub(super) address: SocketAddr,
}

impl SimulatedApi {
    /// Binds the API of a world that begins now on `clock`.
    pub(super) async fn prepare(
        address: &str,
        options: Options,
        clock: Clock,
    ) -> anyhow::Result<Self> {
        let listener = bind(address).await?;
        let address = listener.local_addr().context("the socket has no address")?;
        let world = Arc::new(Mutex::new(World::new(options, clock.wall().floor())));
        Ok(Self { listener, world, clock, address })
    }

    /// The base URL to give to an exporter.
    pub(super) fn base_url(&self) -> String {
        format!("http://{}/v3", self.address)
    }

    /// Serves until the word to stop is given.
    pub(super) async fn run(self, mut stop: Stop) {
        let clock = self.clock;
        serve(self.listener, self.world, move || clock.wall(), async move { stop.wait().await })
            .await;
    }
}

/// A speed as thousandths, for the clock.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the command line keeps it between 0 and a few thousand"
)]
pub(super) fn permille(speed: f64) -> u64 {
    (speed * 1000.0).round() as u64
}

/// The clock of a world: the system's own at the speed of 1.
pub(super) fn clock(speed: f64) -> Clock {
    match permille(speed) {
        1000 => Clock::system(),
        permille => Clock::simulated(permille),
    }
}

/// Serves a simulated API until SIGTERM or SIGINT.
///
/// # Errors
/// A socket that cannot be bound.
pub async fn simulate(args: SimulateArgs) -> anyhow::Result<()> {
    let mut signals = Signals::listen().context("cannot listen to signals")?;
    let seconds = |seconds: i64| u32::try_from(seconds).unwrap_or(u32::MAX);
    let options = Options {
        seed: args.world.seed,
        calls_per_day: args.calls_per_day,
        is_steady: args.steady,
        history_s: seconds(args.history_s),
        stop_after_s: args.stop_after_s.map(seconds),
        duration_scale_permille: args.duration_scale_permille,
        never_ending_permille: args.never_ending_permille,
        late_recordings: args.late_recordings,
        live_totals: args.live_totals,
        order: match args.order {
            Order::NewestFirst => sim::Order::NewestFirst,
            Order::OldestFirst => sim::Order::OldestFirst,
            Order::StartedFirst => sim::Order::StartedFirst,
            Order::ChangedFirst => sim::Order::ChangedFirst,
        },
        pagination: match args.pagination {
            Pagination::Full => sim::Pagination::Full,
            Pagination::NextOnly => sim::Pagination::NextOnly,
            Pagination::Absent => sim::Pagination::Absent,
        },
        past_end: match args.past_end {
            PastEnd::Empty => sim::PastEnd::Empty,
            PastEnd::LastPage => sim::PastEnd::LastPage,
            PastEnd::Error => sim::PastEnd::Error,
        },
        rate_limit_headers: match args.rate_limit_headers {
            RateLimitHeaders::Dashed => sim::RateLimitHeaders::Dashed,
            RateLimitHeaders::DashedOnRefusal => sim::RateLimitHeaders::DashedOnRefusal,
            RateLimitHeaders::Joined => sim::RateLimitHeaders::Joined,
            RateLimitHeaders::JoinedOnRefusal => sim::RateLimitHeaders::JoinedOnRefusal,
            RateLimitHeaders::Absent => sim::RateLimitHeaders::Absent,
        },
        per_page_max: args.per_page_max,
        app_id: args.app_id,
        api_key: args.api_key,
        rate_limit: args.rate_limit,
        quirks: args.quirks.into_iter().collect(),
        faults: args.faults.into_iter().collect(),
        latency_ms: u32::try_from(args.latency_ms).unwrap_or(u32::MAX),
        ..Options::default()
    };
    let (key, app_id, what) = (options.api_key.clone(), options.app_id.clone(), options.describe());
    let clock = clock(args.world.speed);
    let api = SimulatedApi::prepare(&args.listen.to_string(), options, clock).await?;
    output::say(&format!(
        "{what}\n\
         base URL: {}\n\
         app id:   {app_id}\n\
         API key:  {key}\n\
         truth:    http://{}/truth\n",
        api.base_url(),
        api.address
    ))?;
    let (stopper, stop) = Stopper::new();
    let running = api.run(stop);
    tokio::pin!(running);
    tokio::select! {
        () = &mut running => return Ok(()),
        _signal = signals.next() => {}
    };
    stopper.stop();
    running.await;
    Ok(())
}
