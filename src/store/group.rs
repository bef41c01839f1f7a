//! Many writers, few transactions: whoever has the turn writes everything that waits.

use std::mem;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// A queue of work that is written in groups, in the order of arrival.
#[derive(Debug)]
pub(super) struct Group<W, E> {
    waiting: Mutex<Vec<Arc<Ticket<W, E>>>>,
    turn: Mutex<()>,
}

#[derive(Debug)]
struct Ticket<W, E> {
    work: W,
    result: OnceLock<Result<(), E>>,
}

impl<W, E: Clone> Group<W, E> {
    pub(super) const fn new() -> Self {
        Self { waiting: Mutex::new(Vec::new()), turn: Mutex::new(()) }
    }

    /// Waits until `work` was written and returns how that went.
    ///
    /// `write` gets all that waits by the time it is its caller's turn, and must not panic. If the
    /// work was written in another caller's turn, `write` is not called at all.
    pub(super) fn write(
        &self,
        work: W,
        write: impl FnOnce(&mut dyn Iterator<Item = &W>) -> Result<(), E>,
    ) -> Result<(), E> {
        let ticket = Arc::new(Ticket { work, result: OnceLock::new() });
        lock(&self.waiting).push(Arc::clone(&ticket));
        let _turn = lock(&self.turn);
        let own = || ticket.result.get().cloned();
        own().unwrap_or_else(|| {
            let group = mem::take(&mut *lock(&self.waiting));
            let result = write(&mut group.iter().map(|ticket| &ticket.work));
            for ticket in &group {
                ticket.result.get_or_init(|| result.clone());
            }
            result
        })
    }
}

#[cfg(test)]
impl<W, E> Group<W, E> {
    /// Writes nothing until `n_works` wait that `arrive` brings about.
    pub(super) fn hold_until(&self, n_works: usize, arrive: impl FnOnce()) {
        let _turn = lock(&self.turn);
        arrive();
        while lock(&self.waiting).len() < n_works {
            std::thread::yield_now();
        }
    }
}

/// The locks guard no invariant that a panic could leave broken.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn work_that_waits_is_written_together_and_each_gets_the_result() {
        let group = &Group::<u32, &str>::new();
        let groups = &Mutex::new(Vec::new());
        let write = |works: &mut dyn Iterator<Item = &u32>| {
            let mut works: Vec<_> = works.copied().collect();
            works.sort_unstable();
            let result = if works.contains(&3) { Err("full") } else { Ok(()) };
            groups.lock().unwrap().push(works);
            result
        };
        assert_eq!(group.write(0, write), Ok(()));
        thread::scope(|scope| {
            let mut threads = Vec::new();
            group.hold_until(3, || {
                threads.extend([1, 2, 3].map(|work| scope.spawn(move || group.write(work, write))));
            });
            for thread in threads {
                assert_eq!(thread.join().unwrap(), Err("full"));
            }
        });
        assert_eq!(*groups.lock().unwrap(), [vec![0], vec![1, 2, 3]]);
    }
}
