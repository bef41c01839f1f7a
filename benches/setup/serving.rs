//! Apps that are served, and the requests of a scraper.

use cometchat_exporter::metrics::{Breakdown, render_app};
use cometchat_exporter::web::{AppEntry, Publisher, Site};
use hyper::Request;

use crate::showing::{NOW, process, view, world};

pub(crate) fn site() -> Site {
    Site::new("0.1.0", "/metrics".into())
}

pub(crate) fn publisher(n_apps: usize) -> Publisher {
    let publisher = Publisher::new(process(), NOW);
    publisher.publish_apps((0..n_apps).map(entry).collect());
    publisher
}

/// An app with a busy month behind it.
pub(crate) fn entry(app_idx: usize) -> AppEntry {
    let lines =
        render_app(&view(&world(), &format!("customer-{app_idx:03}")), Breakdown::default());
    AppEntry { lines, up: true, tried: true, ..AppEntry::default() }
}

/// What a scraper asks for.
pub(crate) fn request(accept: &str, coding: &str) -> Request<()> {
    Request::get("/metrics")
        .header("Accept", accept)
        .header("Accept-Encoding", coding)
        .body(())
        .unwrap()
}
