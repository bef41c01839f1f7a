//! The whole binary against an API that says things in every way it might: hand-written JSON in,
//! `/metrics` out.

mod doctor;
mod fake;
mod late;
mod lists;
mod refusals;
mod rows;
