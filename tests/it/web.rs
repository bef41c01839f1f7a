//! The web side over real sockets: TLS, passwords, limits, and changes of all that while it runs.
#![expect(
    clippy::disallowed_methods,
    clippy::panic,
    reason = "tests spawn tasks, write files and fail as they like"
)]

mod client;
mod crowd;
mod healthcheck;
mod orders;
mod reload;
mod served;
mod toolkit;
mod walk;
mod world;
