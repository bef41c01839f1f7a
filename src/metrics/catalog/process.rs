//! Rows of the exporter itself: its state, its configuration, its build, its process.

use super::FamilyType::{Counter, Gauge, Info};
use super::Source::{Process, ProcessLive};
use super::{Family, Label, row};
use crate::metrics::samples::{seconds, signed_seconds, whole};

pub(super) const FAMILIES: &[Family] = &[
    row(
        Gauge,
        "cometchat_state_size_bytes",
        &[],
        "Size of the state in bytes: of its file, or of what is kept in memory; absent before the first commit.",
        Process(|process, out| out.one(process.state.size_bytes.map(whole))),
    ),
    row(
        Gauge,
        "cometchat_state_commit_duration_seconds",
        &[],
        "How long the newest commit to the state took, in seconds; absent before the first.",
        Process(|process, out| {
            let commit_us = process.state.commit_duration_us;
            out.one(commit_us.map(|us| whole(us) / 1_000_000.0));
        }),
    ),
    row(
        Gauge,
        "cometchat_state_writable",
        &[],
        "1 when the newest commit to the state succeeded, else 0; while it is 0 nothing new is \
         counted.",
        Process(|process, out| out.one(whole(u64::from(process.state.writable)))),
    ),
    row(
        Counter,
        "cometchat_state_commit_failures_total",
        &[],
        "Commits to the state that failed since the start of the exporter.",
        Process(|process, out| out.one(whole(process.state.commit_failures))),
    ),
    row(
        Gauge,
        "cometchat_config_last_reload_successful",
        &[],
        "1 when the newest try to read the configuration succeeded, else 0; the exporter then \
         runs with the one before.",
        Process(|process, out| out.one(whole(u64::from(process.reload.successful)))),
    ),
    row(
        Gauge,
        "cometchat_config_last_reload_success_timestamp_seconds",
        &[],
        "When the configuration was last read with success, as a Unix time.",
        Process(|process, out| out.one(signed_seconds(process.reload.success_at.0))),
    ),
    row(
        Info,
        "cometchat_shard_info",
        &[Label::Shard, Label::Shards],
        "Always 1; names which of the exporters that share one configuration this is, from 0, and \
         how many there are (--shard); 0 of 1 reads every app.",
        Process(|process, out| {
            let shard = process.shard;
            out.labelled(&[&shard.index.to_string(), &shard.count.to_string()], 1.0);
        }),
    ),
    row(
        Gauge,
        "cometchat_shards",
        &[],
        "Exporters that share one configuration, this one among them (--shard).",
        Process(|process, out| out.one(whole(process.shard.count.into()))),
    ),
    row(
        Info,
        "cometchat_exporter_build_info",
        &[Label::Version, Label::Revision, Label::RustVersion],
        "Always 1; names the version of the exporter, the commit it was built from and the \
         compiler.",
        Process(|process, out| {
            let build = process.build;
            out.labelled(&[build.version, build.revision, build.rust_version], 1.0);
        }),
    ),
];

pub(super) const LIVE_FAMILIES: &[Family] = &[
    row(
        Counter,
        "process_cpu_seconds_total",
        &[],
        "Total user and system CPU time spent in seconds.",
        ProcessLive(|stats| stats.cpu_ms.map(seconds)),
    ),
    row(
        Gauge,
        "process_open_fds",
        &[],
        "Number of open file descriptors.",
        ProcessLive(|stats| stats.open_fds.map(whole)),
    ),
    row(
        Gauge,
        "process_max_fds",
        &[],
        "Maximum number of open file descriptors.",
        ProcessLive(|stats| stats.max_fds.map(whole)),
    ),
    row(
        Gauge,
        "process_virtual_memory_bytes",
        &[],
        "Virtual memory size in bytes.",
        ProcessLive(|stats| stats.virtual_bytes.map(whole)),
    ),
    row(
        Gauge,
        "process_resident_memory_bytes",
        &[],
        "Resident memory size in bytes.",
        ProcessLive(|stats| stats.resident_bytes.map(whole)),
    ),
    row(
        Gauge,
        "process_start_time_seconds",
        &[],
        "Start time of the process since unix epoch in seconds.",
        ProcessLive(|stats| stats.started_at_ms.map(seconds)),
    ),
    row(
        Gauge,
        "process_threads",
        &[],
        "Number of OS threads in the process.",
        ProcessLive(|stats| stats.threads.map(whole)),
    ),
];
