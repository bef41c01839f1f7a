//! Planner and ledger against invented APIs, without sockets, sleeping or a clock: every world is a
//! seed, and a failure prints the seed that repeats it.

mod check;
mod cost;
mod day;
mod driver;
mod edges;
mod random;
mod run;
mod sizes;
mod world;
