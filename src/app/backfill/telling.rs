//! How far it is: a bar on a terminal, a line now and then elsewhere. Always on standard error.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};
use std::sync::{Mutex, PoisonError};

use crate::app::words;
use crate::clock::Clock;

/// A bar is drawn, and a line written, this often.
const DRAW_EVERY_MS: i64 = 200;
const TELL_EVERY_MS: i64 = 10_000;
const BAR_CHARS: u64 = 24;

/// How far the reading of an app, or of all of them, has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) n_calls: u64,
    /// About how many there are.
    pub(super) n_about: u64,
    pub(super) n_pages: u64,
    pub(super) left_ms: u64,
}

/// Tells a person how far it is.
pub(super) struct Teller {
    apps: Mutex<Vec<Standing>>,
    clock: Clock,
    is_terminal: bool,
}

impl Teller {
    pub(super) fn new(n_apps: usize, clock: Clock) -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        Self { apps: Mutex::new(vec![Standing::default(); n_apps]), clock, is_terminal }
    }

    /// Notes how far an app has come.
    pub(super) fn note(&self, app_idx: usize, standing: Standing) {
        let mut apps = self.apps.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(app) = apps.get_mut(app_idx) {
            *app = standing;
        }
    }

    /// Tells now and then, for ever.
    pub(super) async fn tell(&self) {
        loop {
            let every_ms = if self.is_terminal { DRAW_EVERY_MS } else { TELL_EVERY_MS };
            self.clock.sleep_ms(every_ms).await;
            let apps = self.apps.lock().unwrap_or_else(PoisonError::into_inner);
            let text = line(&summed(&apps));
            drop(apps);
            self.show(&text);
        }
    }

    /// The reading is over.
    pub(super) fn end(&self) {
        let apps = self.apps.lock().unwrap_or_else(PoisonError::into_inner);
        let Standing { n_calls, n_pages, .. } = summed(&apps);
        drop(apps);
        self.say(&format!("read: {n_calls} calls, {n_pages} pages"));
    }

    /// How much of the output is written.
    pub(super) fn written(&self, n_done: usize, n_all: usize) {
        if self.is_terminal {
            self.show(&format!("writing: {} %", n_done * 100 / n_all.max(1)));
        }
    }

    /// A line that stays.
    pub(super) fn say(&self, text: &str) {
        let clear = if self.is_terminal { CLEAR } else { "" };
        put(&format!("{clear}{text}\n"));
    }

    fn show(&self, text: &str) {
        if self.is_terminal { put(&format!("{CLEAR}{text}")) } else { put(&format!("{text}\n")) }
    }
}

/// To the first column, and nothing behind it.
const CLEAR: &str = "\r\x1b[K";

fn put(text: &str) {
    let mut out = std::io::stderr().lock();
    // Nobody may be listening; the output is what counts.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// All apps together: they are read at the same time.
fn summed(apps: &[Standing]) -> Standing {
    apps.iter().fold(Standing::default(), |sum, app| Standing {
        n_calls: sum.n_calls + app.n_calls,
        n_about: sum.n_about + app.n_about,
        n_pages: sum.n_pages + app.n_pages,
        left_ms: sum.left_ms.max(app.left_ms),
    })
}

fn line(standing: &Standing) -> String {
    let Standing { n_calls, n_about, n_pages, left_ms } = *standing;
    let done = n_calls.min(n_about);
    let part_of = |whole: u64| (done * whole).checked_div(n_about).unwrap_or(0);
    let full = part_of(BAR_CHARS);
    let mut text = String::from("[");
    (0..BAR_CHARS).for_each(|at| text.push(if at < full { '#' } else { '.' }));
    let percent = part_of(100);
    let left = words::seconds(i64::try_from(left_ms / 1000).unwrap_or(i64::MAX));
    let _ = write!(
        text,
        "] {percent:>3} %, {n_calls} of about {n_about} calls, {n_pages} pages, {left} left"
    );
    text
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn a_line_says_how_far_all_apps_are() {
        let app = |n_calls, n_about, left_ms| Standing { n_calls, n_about, n_pages: 7, left_ms };
        expect!["[........................]   0 %, 0 of about 0 calls, 0 pages, 0s left"]
            .assert_eq(&line(&Standing::default()));
        expect!["[############............]  50 %, 1500 of about 3000 calls, 14 pages, 1m30s left"]
            .assert_eq(&line(&summed(&[app(1000, 2000, 90_000), app(500, 1000, 2000)])));
        expect!["[########################] 100 %, 9 of about 9 calls, 7 pages, 0s left"]
            .assert_eq(&line(&app(9, 9, 0)));
    }
}
