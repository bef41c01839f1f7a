//! The documented fields of a row.

/// Fields of a row that the exporter reads.
pub(super) const READ: [&str; 16] = [
    "sessionId",
    "initiatedAt",
    "startedAt",
    "endedAt",
    "type",
    "mode",
    "status",
    "receiverType",
    "totalAudioMinutes",
    "totalVideoMinutes",
    "totalParticipants",
    "participants",
    "hasRecording",
    "recordings",
    "hasTranscription",
    "transcriptions",
];
/// Other documented fields, which it does not need.
pub(super) const IGNORED: [&str; 9] = [
    "mid",
    "initiator",
    "receiver",
    "totalDuration",
    "totalDurationInMinutes",
    "metaData",
    "tags",
    "data",
    "totalMinutes",
];
