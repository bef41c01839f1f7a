//! A poll that never ends: scrapes show the lag, the task is replaced, and nothing is lost.
#![expect(
    clippy::disallowed_methods,
    reason = "tasks end with the test, which stands still by sleeping"
)]

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::api::Proxies;
use crate::app::app_task::PLACES_AT_STORE;
use crate::app::run::Exporter;
use crate::app::simulate::SimulatedApi;
use crate::app::stop::Stopper;
use crate::call::CallKey;
use crate::clock::Clock;
use crate::config::Secret;
use crate::config::settings::*;
use crate::ledger::Entry;
use crate::metrics::{Breakdown, Shard};
use crate::sim::Options;
use crate::store::{AppId, Glimpse, MemoryStore, Store, StoreError};
use crate::sweep::{Changes, Saved, Span};

/// More than there are places at the store, so that some wait for others that hang.
const APPS: [&str; PLACES_AT_STORE + 2] = ["sim", "b", "c", "d", "e", "f"];

/// Simulated seconds in a real one: the two minutes of silence are two seconds.
const SPEED: u64 = 60;
const PATIENCE: Duration = Duration::from_secs(60);

/// A disk on which a commit does not come back until it is let go.
#[derive(Default)]
struct Stuck {
    store: MemoryStore,
    is_stuck: Mutex<bool>,
    let_go: Condvar,
}

impl Stuck {
    fn set(&self, is_stuck: bool) {
        *self.is_stuck.lock().unwrap() = is_stuck;
        self.let_go.notify_all();
    }
}

impl Store for Stuck {
    fn load(&self, app: &AppId) -> Result<Option<Saved>, StoreError> {
        self.store.load(app)
    }

    fn calls(
        &self,
        app: &AppId,
        span: Span,
        each: &mut dyn FnMut(CallKey, Entry),
    ) -> Result<(), StoreError> {
        self.store.calls(app, span, each)
    }

    fn glance(
        &self,
        app: &AppId,
        span: Span,
        each: &mut dyn FnMut(Glimpse<'_>),
    ) -> Result<(), StoreError> {
        self.store.glance(app, span, each)
    }

    fn commit(&self, app: &AppId, changes: &Changes) -> Result<(), StoreError> {
        let is_stuck = self.is_stuck.lock().unwrap();
        drop(self.let_go.wait_while(is_stuck, |is_stuck| *is_stuck).unwrap());
        self.store.commit(app, changes)
    }

    fn size_bytes(&self) -> u64 {
        self.store.size_bytes()
    }
}

async fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(format!("GET {path} HTTP/1.0\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.split_once("\r\n\r\n").unwrap().1.to_owned()
}

/// Every series with its value.
async fn scrape(address: SocketAddr) -> BTreeMap<String, String> {
    let text = get(address, "/metrics").await;
    let samples = text.lines().filter_map(|line| line.rsplit_once(' '));
    samples.map(|(series, value)| (series.to_owned(), value.to_owned())).collect()
}

/// The value of each app, and the least of them; not a number where one has none.
async fn values(address: SocketAddr, name: &str) -> (BTreeMap<&'static str, f64>, f64) {
    let scrape = scrape(address).await;
    let value = |app| {
        let value = scrape.get(&format!("{name}{{cometchat_app=\"{app}\"}}"));
        value.and_then(|value| value.parse().ok()).unwrap_or(f64::NAN)
    };
    let values = APPS.map(|app| (app, value(app)));
    (values.into(), values.map(|(_, value)| value).into_iter().fold(f64::INFINITY, f64::min))
}

/// Waits until the value of every app is right. Returns the least.
async fn wait_for(address: SocketAddr, name: &str, is_right: impl Fn(f64) -> bool) -> f64 {
    let waiting = async {
        loop {
            let (values, least) = values(address, name).await;
            if values.values().copied().all(&is_right) {
                return least;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("{name} does not come right"))
}

/// Waits until nothing changes any more in a world. Returns when it was found so.
async fn until_rest<T: Future<Output = Value>>(truth: impl Fn() -> T) -> f64 {
    let resting = async {
        loop {
            let truth = truth().await;
            if truth["at_rest"].as_bool().unwrap() {
                return truth["now"].as_f64().unwrap();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, resting).await.expect("the world comes to rest")
}

fn settings(api: &SimulatedApi, key: &str) -> Settings {
    let app = |name: &str| AppSettings {
        name: name.into(),
        app_id: name.into(),
        api_region: ApiRegion::Custom,
        base_url: api.base_url(),
        key: KeySource::Inline(Secret::new(key)),
        on_behalf_of: None,
        budget_group: None,
    };
    Settings {
        apps: APPS.map(app).into(),
        shard: Shard::default(),
        poll: PollSettings {
            rate_limit_per_minute: 1_000_000,
            settle_s: 60,
            lookback_s: 300,
            ..PollSettings::default()
        },
        count: CountSettings::default(),
        recent_window_s: 60,
        breakdown: Breakdown::default(),
        exemplars: false,
        created: false,
        state: StateSettings::Memory,
        web: WebSettings {
            listen: vec![Listen::Tcp(ListenAddress { host: Some("127.0.0.1".into()), port: 0 })],
            ..WebSettings::default()
        },
        log: LogSettings::default(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poll_that_never_ends_is_shown_and_replaced_and_loses_nothing() {
    let clock = Clock::simulated(SPEED * 1000);
    let options = Options {
        calls_per_day: 20_000,
        history_s: 600,
        stop_after_s: Some(900),
        duration_scale_permille: 50,
        rate_limit: 1_000_000,
        ..Options::default()
    };
    let key = options.api_key.clone();
    let api = SimulatedApi::prepare("127.0.0.1:0", options, clock).await.unwrap();
    let (api_address, settings) = (api.address, settings(&api, &key));
    let (stopper, stop) = Stopper::new();
    let api = tokio::spawn(api.run(stop.clone()));
    let disk = Arc::new(Stuck::default());
    let store: Arc<dyn Store> = Arc::<Stuck>::clone(&disk);
    let exporter = Exporter::on(store, settings, Proxies::Ignored, clock).await.unwrap();
    let address = exporter.addresses()[0];
    let exporter = tokio::spawn(exporter.run(stop, None));

    wait_for(address, "cometchat_tracked_calls", |n| n > 3.0).await;
    disk.set(true);
    // Every scrape shows that it is later, up to when the watch, which looks every 5 real seconds,
    // has looked often enough to find two minutes of silence.
    let mut lag = 0.0;
    while lag < 1000.0 {
        lag = wait_for(address, "cometchat_poll_lag_seconds", |later| later > lag).await;
    }
    disk.set(false);
    // Once every task has shown itself it is known which of them are new.
    wait_for(address, "cometchat_poll_lag_seconds", |lag| lag < 60.0).await;
    let (restarts, _) = values(address, "cometchat_app_restarts_total").await;
    let n_replaced = restarts.values().filter(|n| **n >= 1.0).count();
    assert_eq!(
        n_replaced, PLACES_AT_STORE,
        "those that wait for a place do not hang: {restarts:?}"
    );

    let truth = |app: &'static str, query: String| async move {
        let body = get(api_address, &format!("/truth?settle=60&app={app}{query}")).await;
        serde_json::from_str::<Value>(&body).unwrap()
    };
    let mut rested_at = 0.0_f64;
    for app in APPS {
        rested_at = rested_at.max(until_rest(|| truth(app, String::new())).await);
    }
    wait_for(address, "cometchat_covered_until_timestamp_seconds", |at| at >= rested_at).await;
    wait_for(address, "cometchat_tracked_calls", |n| n == 0.0).await;
    let (epochs, _) = values(address, "cometchat_count_from_timestamp_seconds").await;
    let scrape = scrape(address).await;
    for (app, epoch) in epochs {
        let truth = truth(app, format!("&from={epoch}")).await;
        assert!(truth["calls"].as_u64().unwrap() > 50);
        for (series, expected) in truth["series"].as_object().unwrap() {
            assert_eq!(scrape.get(series), Some(&expected.to_string()), "{series}");
        }
    }
    stopper.stop();
    api.await.unwrap();
    exporter.await.unwrap();
}
