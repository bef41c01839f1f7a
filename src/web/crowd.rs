//! A bounded number of places, of which nobody can keep one for long while others wait.
//!
//! A limit alone could be abused: whoever holds all places and does nothing shuts everybody else
//! out. So where all are taken, the one that has been idle longest has to go for the one that waits,
//! once it has had its grace.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex as Queue, Notify};
use tokio::time::{Instant, sleep_until};

/// The places. Clones of the `Arc` share them.
#[derive(Debug)]
pub(super) struct Crowd {
    places_max: usize,
    /// How long everybody may stay, whoever waits.
    grace: Duration,
    inside: Mutex<Inside>,
    /// Held by the first in the queue: places are given in the order of coming.
    queue: Queue<()>,
    left: Notify,
}

#[derive(Debug, Default)]
struct Inside {
    guests: BTreeMap<u64, Guest>,
    next_id: u64,
}

#[derive(Debug)]
struct Guest {
    /// Since when it can be asked to go; while it is busy, it cannot.
    idle_since: Option<Instant>,
    /// Tells it to go.
    go: Arc<Notify>,
    was_told: bool,
}

/// A place, until it is dropped.
#[derive(Debug)]
pub(super) struct Ticket {
    crowd: Arc<Crowd>,
    id: u64,
}

impl Crowd {
    pub(super) fn new(places_max: usize, grace: Duration) -> Arc<Self> {
        let (inside, queue, left) = Default::default();
        Arc::new(Self { places_max, grace, inside, queue, left })
    }

    /// Waits for a place. Whoever gets one drops it as soon as `go` is told.
    pub(super) async fn enter(self: &Arc<Self>, go: &Arc<Notify>) -> Ticket {
        let _first = self.queue.lock().await;
        loop {
            match self.try_enter(go) {
                Ok(ticket) => return ticket,
                Err(None) => self.left.notified().await,
                Err(Some(again_at)) => tokio::select! {
                    () = self.left.notified() => {}
                    () = sleep_until(again_at) => {}
                },
            }
        }
    }

    /// A place, or when one can be made free if nobody leaves.
    fn try_enter(self: &Arc<Self>, go: &Arc<Notify>) -> Result<Ticket, Option<Instant>> {
        let now = Instant::now();
        let mut inside = self.inside();
        if inside.guests.len() < self.places_max {
            let id = inside.next_id;
            inside.next_id += 1;
            let guest = Guest { idle_since: Some(now), go: Arc::clone(go), was_told: false };
            inside.guests.insert(id, guest);
            return Ok(Ticket { crowd: Arc::clone(self), id });
        }
        if inside.guests.values().any(|guest| guest.was_told) {
            return Err(None);
        }
        let idle = inside.guests.values_mut().filter(|guest| guest.idle_since.is_some());
        let first = idle.min_by_key(|guest| guest.idle_since).ok_or(None)?;
        match first.idle_since.map(|since| since + self.grace) {
            Some(until) if now < until => Err(Some(until)),
            _ => {
                first.was_told = true;
                first.go.notify_one();
                Err(None)
            }
        }
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ticket {
    /// From now on it cannot be asked to go.
    pub(super) fn busy(&self) {
        self.set_idle_since(None);
    }

    /// Nothing is done in this place any more.
    pub(super) fn idle(&self) {
        self.set_idle_since(Some(Instant::now()));
        // It may be the first idle one, for which somebody waits.
        self.crowd.left.notify_one();
    }

    fn set_idle_since(&self, since: Option<Instant>) {
        if let Some(guest) = self.crowd.inside().guests.get_mut(&self.id) {
            guest.idle_since = since;
        }
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.crowd.inside().guests.remove(&self.id);
        self.crowd.left.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRACE: Duration = Duration::from_secs(1);

    /// Somebody who leaves when he is told to.
    async fn stay(crowd: Arc<Crowd>, is_busy: bool) {
        let go = Arc::default();
        let ticket = crowd.enter(&go).await;
        if is_busy {
            ticket.busy();
        }
        go.notified().await;
    }

    #[tokio::test(start_paused = true)]
    async fn who_waits_gets_the_place_of_the_first_after_its_grace() {
        let crowd = Crowd::new(2, GRACE);
        let first = tokio::spawn(stay(Arc::clone(&crowd), false));
        let second = tokio::spawn(stay(Arc::clone(&crowd), false));
        tokio::task::yield_now().await;
        let started = Instant::now();
        let _third = crowd.enter(&Arc::default()).await;
        assert_eq!(started.elapsed(), GRACE);
        first.await.expect("the first one had to go");
        assert!(!second.is_finished(), "one place was enough");
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_busy_stays_and_who_leaves_makes_room_at_once() {
        let crowd = Crowd::new(2, GRACE);
        let busy = tokio::spawn(stay(Arc::clone(&crowd), true));
        tokio::task::yield_now().await;
        let ticket = crowd.enter(&Arc::default()).await;
        ticket.busy();
        let waiting = tokio::time::timeout(60 * GRACE, crowd.enter(&Arc::default())).await;
        assert!(waiting.is_err(), "both are busy");
        let (other, started) = (Arc::default(), Instant::now());
        let (_third, ()) = tokio::join!(crowd.enter(&other), async { drop(ticket) });
        assert_eq!((started.elapsed(), busy.is_finished()), (Duration::ZERO, false));
    }

    #[tokio::test(start_paused = true)]
    async fn a_busy_one_that_becomes_idle_can_be_asked_to_go() {
        let crowd = Crowd::new(1, GRACE);
        let go = Arc::default();
        let ticket = crowd.enter(&go).await;
        ticket.busy();
        let leaves = async {
            ticket.idle();
            go.notified().await;
            drop(ticket);
        };
        let (other, started) = (Arc::default(), Instant::now());
        let (_second, ()) = tokio::join!(crowd.enter(&other), leaves);
        assert_eq!(started.elapsed(), GRACE);
    }
}
