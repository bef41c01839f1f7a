//! One task per app, started again when it panics, fails or hangs; none of them touches another.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tracing::{error, info};

use super::app_task::AppTask;
use super::poller::Poller;
use super::stop::Stop;
use super::words;

/// Shortest and longest pause before a task is started again.
const RESTART_MS_MIN: i64 = 1_000;
const RESTART_MS_MAX: i64 = 60_000;
/// A task that says nothing for this long, beyond what a request may take, hangs.
const SILENCE_MS_MAX: i64 = 120_000;
const WATCH_EVERY: Duration = Duration::from_secs(5);

/// Keeps the app polled until the word to stop is given.
pub(super) async fn supervise(task: Arc<AppTask>, mut stop: Stop) {
    let name = task.name().to_owned();
    let mut pause_ms = task.start_delay_ms;
    let mut next_pause_ms = RESTART_MS_MIN;
    while !stop.is_given() {
        tokio::select! {
            () = stop.wait() => return,
            () = task.clock.sleep_ms(pause_ms) => {}
        }
        task.beat();
        #[expect(clippy::disallowed_methods, reason = "joined just below")]
        let running = tokio::spawn(poll(Arc::clone(&task), stop.clone()));
        let began = task.clock.steady();
        let Err(why) = watch(&task, running).await else { return };
        if task.clock.steady().since_ms(began) > RESTART_MS_MAX {
            next_pause_ms = RESTART_MS_MIN;
        }
        error!(app.name = name, "app `{name}`: {why}; trying again in {next_pause_ms} ms");
        task.health().restarts += 1;
        pause_ms = next_pause_ms;
        next_pause_ms = (next_pause_ms * 2).min(RESTART_MS_MAX);
    }
}

async fn poll(task: Arc<AppTask>, mut stop: Stop) -> anyhow::Result<()> {
    let name = task.name().to_owned();
    let poller = tokio::select! {
        () = stop.wait() => return Ok(()),
        poller = Poller::start(task) => poller?,
    };
    let since = words::date(poller.counts_since());
    info!(app.name = name, "app `{name}`: counting calls since {since}");
    poller.run(stop).await
}

/// Waits for the end of the task, and says why it ended unless it was asked to.
async fn watch(task: &AppTask, mut running: JoinHandle<anyhow::Result<()>>) -> Result<(), String> {
    let request_ms = i64::try_from(task.transport.timeout().as_millis()).unwrap_or(i64::MAX);
    let silent_ms_max = SILENCE_MS_MAX.saturating_add(request_ms);
    loop {
        tokio::select! {
            ended = &mut running => {
                return match ended {
                    Ok(Ok(())) => Ok(()),
                    Ok(Err(error)) => Err(format!("{error:#}")),
                    Err(error) => Err(format!("its task failed, please report it: {error}")),
                };
            }
            () = tokio::time::sleep(WATCH_EVERY) => {
                if task.silent_ms() > silent_ms_max {
                    running.abort();
                    let silent = words::seconds(task.silent_ms() / 1000);
                    return Err(format!("nothing has happened for {silent}"));
                }
            }
        }
    }
}
