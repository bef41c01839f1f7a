//! What the exporter shows to the outside: an immutable view, the routes over it, the sockets.
//!
//! A request touches memory only: it takes the newest [`View`] and never waits for a poll, the API
//! or the disk. [`route`] is a function from a request and a view to a response; [`serve()`] is
//! the thin shell with the sockets.

pub mod body;
pub mod listen;
mod page;
pub mod process;
pub mod routes;
pub mod serve;
pub mod view;

pub use body::Body;
pub use listen::{BindError, bind};
pub use routes::{Site, route};
pub use serve::{Limits, Server, serve};
pub use view::{AppEntry, Publisher, Trouble, View};
