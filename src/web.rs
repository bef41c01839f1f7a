//! What the exporter shows to the outside: an immutable view, the routes over it, the sockets.
//!
//! A request touches memory only: it takes the newest [`View`] and never waits for a poll, the API
//! or the disk. [`route`] is a function from a request and a view to a response; [`serve()`] is
//! the thin shell with the sockets.

mod answer;
pub mod auth;
pub mod body;
mod bucket;
mod client_certs;
mod coding;
mod crowd;
mod escaped;
mod exposition;
pub mod facts;
pub mod go_names;
pub mod guard;
pub mod history;
pub mod lifecycle;
pub mod listen;
pub mod live;
mod negotiate;
mod page;
pub mod policy;
pub mod probe;
pub mod process;
mod query;
pub mod routes;
pub mod serve;
mod status;
mod stream;
mod talk;
pub mod tls;
pub mod view;
mod x509;

pub use body::Body;
pub use facts::{AppFacts, ExporterFacts};
pub use guard::Guard;
pub use history::{Counts, History};
pub use lifecycle::Lifecycle;
pub use listen::{BindError, Listener, bind, open};
pub use live::WebConfig;
pub use policy::Policy;
pub use routes::{Site, route};
pub use serve::{Limits, Server, serve};
pub use view::{AppEntry, FirstRead, Placement, Publisher, Trouble, View};
