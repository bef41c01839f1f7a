//! The word that everything ends, from a signal or a test.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

/// Tells when to end. Clones hear the same word.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<bool>);

/// Gives the word; dropping it gives it, too.
#[derive(Debug)]
pub struct Stopper(watch::Sender<bool>);

impl Stopper {
    /// A word that was not given yet.
    pub fn new() -> (Self, Stop) {
        let (sender, receiver) = watch::channel(false);
        (Self(sender), Stop(receiver))
    }

    /// Ends everything that listens.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }
}

impl Stop {
    /// Returns once the word was given.
    pub async fn wait(&mut self) {
        // An error means that the sender is gone, which is the same word.
        let _gone = self.0.wait_for(|stopped| *stopped).await;
    }

    /// Whether the word was given.
    pub fn is_given(&self) -> bool {
        *self.0.borrow() || self.0.has_changed().is_err()
    }
}

/// The signals that ask the process to end: SIGTERM and SIGINT.
#[derive(Debug)]
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// Listens from now on. One that comes during the start waits for [`Self::next`] instead of
    /// killing the process.
    ///
    /// # Errors
    /// The system's word when signals cannot be listened to.
    pub fn listen() -> std::io::Result<Self> {
        let terminate = signal(SignalKind::terminate())?;
        let interrupt = signal(SignalKind::interrupt())?;
        Ok(Self { terminate, interrupt })
    }

    /// Returns the name of the next signal.
    pub async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
