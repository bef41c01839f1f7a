//! `POST /-/reload` and `POST /-/quit`, which are passed on to whoever runs the exporter.

use hyper::{Response, StatusCode};
use tokio::sync::{mpsc, oneshot};

use super::Body;
use super::routes::{Place, plain};

/// Reloads that may wait for their turn. One that waits will read whatever is written by then, so
/// more of them would change nothing.
const WAITING_MAX: usize = 8;

/// What came of a reload: what has changed, or everything that is wrong, for people.
pub type Outcome = Result<String, String>;

/// Somebody wants the configuration read again.
#[derive(Debug)]
pub struct Reload {
    /// What asked for it, for the log.
    pub cause: &'static str,
    /// Where the outcome goes; nobody may be listening.
    pub reply: oneshot::Sender<Outcome>,
}

/// Asks for a reload, or for the end. Clones ask the same exporter.
#[derive(Clone, Debug)]
pub struct Lifecycle {
    reloads: mpsc::Sender<Reload>,
    quits: mpsc::Sender<()>,
}

/// What was asked for, for the one who does it.
#[derive(Debug)]
pub struct Wishes {
    /// Reloads, one after the other.
    pub reloads: mpsc::Receiver<Reload>,
    /// The wish to end.
    pub quits: mpsc::Receiver<()>,
}

impl Lifecycle {
    /// The two ends.
    pub fn new() -> (Self, Wishes) {
        let (reload, reloads) = mpsc::channel(WAITING_MAX);
        let (quit, quits) = mpsc::channel(1);
        (Self { reloads: reload, quits: quit }, Wishes { reloads, quits })
    }

    /// Asks for a reload without waiting for it.
    pub fn request_reload(&self, cause: &'static str) {
        // A full queue holds one that will do.
        let _queued = self.reloads.try_send(Reload { cause, reply: oneshot::channel().0 });
    }

    async fn reload(&self) -> Outcome {
        let ending = || "the exporter is ending".to_owned();
        let (reply, outcome) = oneshot::channel();
        let request = Reload { cause: "POST /-/reload", reply };
        self.reloads.send(request).await.map_err(|_closed| ending())?;
        outcome.await.map_err(|_dropped| ending())?
    }

    /// Does what stands at this place, or `None` if that is neither of the two.
    pub(super) async fn answer(&self, place: Place) -> Option<Response<Body>> {
        match place {
            Place::Reload => Some(match self.reload().await {
                Ok(changes) => plain(StatusCode::OK, changes + "\n"),
                Err(why) => {
                    let text = format!("the configuration before stays in force:\n{why}\n");
                    plain(StatusCode::INTERNAL_SERVER_ERROR, text)
                }
            }),
            Place::Quit => {
                let _asked_before = self.quits.try_send(());
                Some(plain(StatusCode::OK, "ending\n"))
            }
            Place::Metrics
            | Place::Page
            | Place::Status
            | Place::Config
            | Place::Healthy
            | Place::Ready
            | Place::NearPage => None,
        }
    }
}
