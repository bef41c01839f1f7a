//! The keys of the configuration file: the one table that the reader and the documentation share.

/// What stands behind a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One word, number or text.
    Scalar,
    /// A list of words.
    List,
}

/// A section of the file and its keys.
#[derive(Clone, Copy, Debug)]
pub struct SectionKeys {
    /// The key at the top of the file.
    pub name: &'static str,
    /// The keys below it.
    pub keys: &'static [(&'static str, Shape)],
}

use Shape::{List, Scalar};

/// The keys of one entry of `apps`, the only section that is a list.
pub const APPS: SectionKeys = SectionKeys {
    name: "apps",
    keys: &[
        ("name", Scalar),
        ("app_id", Scalar),
        ("region", Scalar),
        ("api_key_file", Scalar),
        ("api_key", Scalar),
        ("on_behalf_of", Scalar),
        ("budget_group", Scalar),
        ("base_url", Scalar),
    ],
};

/// `poll`: how the API is asked.
pub const POLL: SectionKeys = SectionKeys {
    name: "poll",
    keys: &[
        ("interval", Scalar),
        ("timeout", Scalar),
        ("per_page", Scalar),
        ("settle", Scalar),
        ("lookback", Scalar),
        ("max_open", Scalar),
        ("rate_limit", Scalar),
        ("rate_limit_share", Scalar),
    ],
};

/// `count`: what counts.
pub const COUNT: SectionKeys =
    SectionKeys { name: "count", keys: &[("from", Scalar), ("failure_statuses", List)] };

/// `recent`: the window of `cometchat_recent_*`.
pub const RECENT: SectionKeys = SectionKeys { name: "recent", keys: &[("window", Scalar)] };

/// `metrics`: what the metrics carry.
pub const METRICS: SectionKeys = SectionKeys {
    name: "metrics",
    keys: &[("breakdown", List), ("exemplars", Scalar), ("created", Scalar)],
};

/// `state`: where the ledger lives.
pub const STATE: SectionKeys = SectionKeys { name: "state", keys: &[("path", Scalar)] };

/// Every section, in the order of the documentation.
pub const SECTIONS: [SectionKeys; 6] = [APPS, POLL, COUNT, RECENT, METRICS, STATE];
