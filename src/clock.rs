//! The only reader of the system's clocks.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::Instant;

use crate::call::Moment;

/// A wall clock that may be wrong or jump, and a steady one that never does.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    began: Instant,
    pace: Pace,
}

#[derive(Clone, Copy, Debug)]
enum Pace {
    /// The system's own.
    System,
    /// Simulated: from a moment on, this many simulated milliseconds in a thousand real ones.
    Simulated { from: Moment, permille: u64 },
}

impl Clock {
    /// The system's clocks.
    pub fn system() -> Self {
        Self { began: Instant::now(), pace: Pace::System }
    }

    /// A clock that starts at the system's time and runs `permille` thousandths as fast.
    pub fn simulated(permille: u64) -> Self {
        let from = Self::system().wall();
        Self { began: Instant::now(), pace: Pace::Simulated { from, permille: permille.max(1) } }
    }

    /// Now, on the local wall clock.
    pub fn wall(&self) -> Moment {
        match self.pace {
            #[expect(clippy::disallowed_methods, reason = "this is the one place that may")]
            Pace::System => match SystemTime::now().duration_since(UNIX_EPOCH) {
                Ok(since) => Moment(millis(since)),
                Err(before) => Moment(-millis(before.duration())),
            },
            Pace::Simulated { from, .. } => from.plus_ms(self.steady().0),
        }
    }

    /// Milliseconds since this clock was made; never jumps.
    pub fn steady(&self) -> Moment {
        let real = millis(self.began.elapsed());
        match self.pace {
            Pace::System => Moment(real),
            Pace::Simulated { permille, .. } => {
                let simulated = i128::from(real) * i128::from(permille) / 1000;
                Moment(i64::try_from(simulated).unwrap_or(i64::MAX))
            }
        }
    }

    /// Sleeps for `ms` of this clock.
    pub async fn sleep_ms(&self, ms: i64) {
        let ms = ms.max(0).cast_unsigned();
        let real = match self.pace {
            Pace::System => ms,
            Pace::Simulated { permille, .. } => ms.saturating_mul(1000).div_ceil(permille),
        };
        tokio::time::sleep(Duration::from_millis(real)).await;
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
