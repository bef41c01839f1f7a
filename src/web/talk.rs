//! What one connection is at: waiting for a request, or giving answers; and its deadline.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;

use super::Limits;
use super::crowd::Ticket;

/// One connection. Its requests and answers share it.
#[derive(Debug)]
pub(super) struct Talk {
    limits: Limits,
    /// Tells the connection to end, for somebody waits for a place that it holds.
    pub(super) go: Arc<Notify>,
    place: Ticket,
    state: Mutex<State>,
    deadline_moved: Notify,
}

#[derive(Debug)]
struct State {
    n_answers: usize,
    deadline: Instant,
}

/// An answer, from its request until its last byte is on its way or the reader is gone.
#[derive(Debug)]
pub(super) struct Answering(Arc<Talk>);

impl Talk {
    /// Begins when the connection does, in its place among all connections.
    pub(super) fn new(limits: Limits, go: Arc<Notify>, place: Ticket) -> Arc<Self> {
        let deadline = Instant::now() + limits.first_request;
        let state = Mutex::new(State { n_answers: 0, deadline });
        Arc::new(Self { limits, go, place, state, deadline_moved: Notify::new() })
    }

    /// A request is there.
    pub(super) fn asked(self: &Arc<Self>) -> Answering {
        self.place.busy();
        self.state().n_answers += 1;
        self.bear_until(Instant::now() + self.limits.next_request);
        Answering(Arc::clone(self))
    }

    /// Ends when the patience with this connection does.
    pub(super) async fn patience(&self) {
        loop {
            let deadline = self.state().deadline;
            tokio::select! {
                () = self.deadline_moved.notified() => {}
                () = tokio::time::sleep_until(deadline) => return,
            }
        }
    }

    fn bear_until(&self, deadline: Instant) {
        self.state().deadline = deadline;
        self.deadline_moved.notify_one();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Answering {
    /// Its answer is made, and is sent from now on.
    pub(super) fn made(&self) {
        self.0.bear_until(Instant::now() + self.0.limits.answer);
    }

    /// Tells the connection to end.
    pub(super) fn go(&self) -> &Arc<Notify> {
        &self.0.go
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.0.bear_until(Instant::now() + self.0.limits.next_request);
        let mut state = self.0.state();
        state.n_answers -= 1;
        if state.n_answers == 0 {
            self.0.place.idle();
        }
    }
}
