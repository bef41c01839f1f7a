//! Reading the configuration again while the exporter runs: one reload after the other, all or
//! nothing.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tracing::{error, info, warn};

use crate::config::cli::RunArgs;
use crate::config::settings::{Settings, StateSettings};
use crate::config::{self, Loaded, Process};
use crate::web::Lifecycle;
use crate::web::lifecycle::{Outcome, Reload};

use super::board::Board;
use super::fleet::{self, Fleet};
use super::stop::Stop;

/// Reading a configuration and the state of new apps takes no longer, unless a disk hangs.
const READ: Duration = Duration::from_secs(30);

/// Reads the whole configuration, or says everything that is wrong with it.
#[derive(Clone, Debug)]
pub struct Loader(Arc<RunArgs>);

impl Loader {
    /// Reads what these flags say.
    pub fn new(args: RunArgs) -> Self {
        Self(Arc::new(args))
    }

    fn load(&self) -> Result<Loaded, String> {
        config::load(&self.0, &Process).map_err(|faults| faults.to_string())
    }
}

/// What is needed to read the configuration again, and whoever may ask for it.
#[derive(Debug)]
pub struct Reloading {
    loader: Loader,
    lifecycle: Lifecycle,
    reloads: mpsc::Receiver<Reload>,
}

impl Reloading {
    /// Reads by `loader` whenever one of the `reloads` comes in.
    pub const fn new(
        loader: Loader,
        lifecycle: Lifecycle,
        reloads: mpsc::Receiver<Reload>,
    ) -> Self {
        Self { loader, lifecycle, reloads }
    }

    pub(super) fn lifecycle(&self) -> Lifecycle {
        self.lifecycle.clone()
    }
}

async fn next(reloading: Option<&mut Reloading>) -> (&Loader, Reload) {
    if let Some(Reloading { loader, reloads, .. }) = reloading
        && let Some(reload) = reloads.recv().await
    {
        return (loader, reload);
    }
    std::future::pending().await
}

/// Keeps the apps polled and does what is asked for, until the word to stop is given.
pub(super) async fn run(
    mut fleet: Fleet,
    board: Arc<Board>,
    mut reloading: Option<Reloading>,
    mut stop: Stop,
) {
    loop {
        tokio::select! {
            () = stop.wait() => break,
            () = fleet.reap() => {}
            (loader, Reload { cause, reply }) = next(reloading.as_mut()) => {
                let outcome = reload(&mut fleet, &board, loader, cause).await;
                let _whoever_asked_is_gone = reply.send(outcome);
            }
        }
    }
    // Whoever still waits for a reload is told that it does not come.
    drop(reloading);
    fleet.end().await;
}

async fn reload(fleet: &mut Fleet, board: &Board, loader: &Loader, cause: &str) -> Outcome {
    let outcome = try_reload(fleet, loader).await;
    match &outcome {
        Ok(changes) => info!("the configuration was read again ({cause}): {changes}"),
        Err(why) => {
            board.reload_failed();
            let why = why.replace('\n', "; ");
            error!(
                "the configuration cannot be used ({cause}), the one before stays in force: {why}"
            );
        }
    }
    outcome
}

/// Nothing has changed where this fails.
async fn try_reload(fleet: &mut Fleet, loader: &Loader) -> Outcome {
    let loader = loader.clone();
    let Loaded { mut settings, notices, .. } = blocking(move || loader.load()).await??;
    let fixed = keep_what_is_fixed(&fleet.settings, &mut settings);
    let count_from = settings.count.from;
    let change = fleet.plan(settings).map_err(|error| format!("{error:#}"))?;
    let beginners = change.beginners();
    let entries = blocking(move || fleet::first_entries(&beginners, count_from)).await?;
    let entries = entries.map_err(|error| format!("{error:#}"))?;
    let summary = fleet.apply(change, entries);
    for notice in notices.iter().chain(&fixed) {
        warn!("{notice}");
    }
    Ok([vec![summary.words()], fixed].concat().join("\n"))
}

/// Reads files away from the threads that poll and serve; a panic there is an error here.
async fn blocking<T: Send + 'static>(
    read: impl FnOnce() -> T + Send + 'static,
) -> Result<T, String> {
    match tokio::time::timeout(READ, tokio::task::spawn_blocking(read)).await {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(format!("it cannot be read, please report it: {error}")),
        Err(_) => Err(format!("reading it took longer than {READ:?}; does a disk hang?")),
    }
}

/// Puts back what only a restart can change, and says so.
fn keep_what_is_fixed(old: &Settings, new: &mut Settings) -> Vec<String> {
    if new.state == old.state {
        return Vec::new();
    }
    let path = |state: &StateSettings| match state {
        StateSettings::Memory => "memory".to_owned(),
        StateSettings::File(path) => path.display().to_string(),
    };
    let sentence = format!(
        "state.path is now {}, but the counts stay in {}: restart the exporter to change that",
        path(&new.state),
        path(&old.state)
    );
    new.state = old.state.clone();
    vec![sentence]
}

/// Asks for a reload whenever the file has another text than before. Never ends.
pub(super) async fn watch(
    file: PathBuf,
    every: Duration,
    mut known: Option<u64>,
    lifecycle: Lifecycle,
) {
    loop {
        tokio::time::sleep(every).await;
        let path = file.clone();
        // A file that is gone is a change as well, and told once.
        let Ok(seen) = blocking(move || config::fingerprint(&path, &Process)).await else {
            continue;
        };
        if seen != known {
            known = seen;
            lifecycle.request_reload("the file has changed");
        }
    }
}
