//! Scrapes in the background: from one to the next no counter falls and none goes away, neither in
//! one process nor over its restarts.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use crate::process::http;
use crate::process::samples::{Samples, name};

/// Counters that begin anew with each process; a prefix of their names.
const OF_THE_PROCESS: [&str; 6] = [
    "cometchat_api_",
    "cometchat_app_restarts_",
    "cometchat_pages_truncated_",
    "cometchat_records_invalid_",
    "cometchat_state_",
    "process_",
];

/// The label of an app that a test takes away on purpose.
const PASSING: &str = "cometchat_app=\"passing\"";

/// The scraper.
pub(super) struct Watch {
    target: Arc<Mutex<Target>>,
    scraper: Option<JoinHandle<Seen>>,
}

#[derive(Default)]
struct Target {
    address: Option<SocketAddr>,
    /// Counts the processes.
    nth: u32,
    is_over: bool,
}

/// What the scraper saw.
#[derive(Default)]
struct Seen {
    n_scrapes: u32,
    nth: u32,
    newest: BTreeMap<String, f64>,
    falls: Vec<String>,
}

impl Watch {
    /// Begins with no process to watch.
    pub(super) fn start() -> Self {
        let target = Arc::<Mutex<Target>>::default();
        let shared = Arc::clone(&target);
        let scraper = thread::spawn(move || scrape_until_over(&shared));
        Self { target, scraper: Some(scraper) }
    }

    /// Watches this process from now on.
    pub(super) fn follow(&self, address: SocketAddr) {
        let mut target = self.target.lock().unwrap();
        target.address = Some(address);
        target.nth += 1;
    }

    /// Ends the scrapes, and says what they showed.
    #[track_caller]
    pub(super) fn stop(mut self) {
        self.target.lock().unwrap().is_over = true;
        let seen = self.scraper.take().unwrap().join().unwrap();
        assert!(seen.n_scrapes >= 20, "{} scrapes prove little", seen.n_scrapes);
        assert!(seen.falls.is_empty(), "counters fell:\n{}", seen.falls.join("\n"));
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        if let Ok(mut target) = self.target.lock() {
            target.is_over = true;
        }
    }
}

fn scrape_until_over(target: &Mutex<Target>) -> Seen {
    let mut seen = Seen::default();
    loop {
        let (address, nth) = {
            let target = target.lock().unwrap();
            if target.is_over {
                return seen;
            }
            (target.address, target.nth)
        };
        // Between two processes there is nobody to answer.
        if let Some(Ok(answer)) = address.map(|address| http::get(address, "/metrics")) {
            seen.compare(nth, &Samples::parse(&answer.body));
        }
        thread::sleep(Duration::from_millis(50));
    }
}

impl Seen {
    fn compare(&mut self, nth: u32, scrape: &Samples) {
        if nth != self.nth {
            self.newest.retain(|series, _| is_durable(series));
            self.nth = nth;
        }
        self.n_scrapes += 1;
        for (series, before) in &self.newest {
            match scrape.get(series) {
                Some(now) if now >= *before => {}
                now => self.falls.push(format!("process {nth}: {series} {before} -> {now:?}")),
            }
        }
        let rising = scrape.values.keys().filter(|series| scrape.only_rises(series));
        let rising = rising.filter(|series| !series.contains(PASSING));
        self.newest.extend(rising.map(|series| (series.clone(), scrape.get(series).unwrap())));
    }
}

fn is_durable(series: &str) -> bool {
    OF_THE_PROCESS.iter().all(|prefix| !name(series).starts_with(prefix))
}
