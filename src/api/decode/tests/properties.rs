//! Whatever comes: nothing panics, and a row never costs another.

use proptest::prelude::*;

use super::*;

/// JSON of every shape, with the names and words that matter among it.
fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        prop::sample::select(
            &[
                "null",
                "true",
                "0",
                "-1",
                "1e308",
                "1e400",
                "1760000000",
                "\"1760000001\"",
                "\"NaN\"",
                "\"\"",
                r#""\ud800""#,
                r#""\u0000""#,
                "\"ended\"",
                "253402300800",
                "9223372036854775808",
            ][..]
        )
        .prop_map(str::to_owned),
        any::<f64>()
            .prop_filter_map("JSON knows no infinity", |x| x.is_finite().then(|| x.to_string())),
        any::<String>().prop_map(|text| serde_json::to_string(&text).expect("a text is JSON")),
    ];
    leaf.prop_recursive(6, 64, 8, |inner| {
        let name = prop::sample::select(
            &[
                "data",
                "error",
                "code",
                "sessionId",
                "initiatedAt",
                "startedAt",
                "endedAt",
                "status",
                "participants",
                "recordings",
                "transcriptions",
                "uid",
                "isJoined",
                "joinedAt",
                "leftAt",
                "totalAudioMinutes",
                "totalParticipants",
                "hasRecording",
                "duration",
                "startTime",
                "endTime",
            ][..],
        );
        let field = (name, inner.clone()).prop_map(|(name, value)| format!("\"{name}\":{value}"));
        prop_oneof![
            prop::collection::vec(inner, 0..8).prop_map(|all| format!("[{}]", all.join(","))),
            prop::collection::vec(field, 0..12).prop_map(|all| format!("{{{}}}", all.join(","))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn no_bytes_panic(bytes: Vec<u8>) {
        let _ = (page(&bytes, NOW), error_code(&bytes));
    }

    #[test]
    fn no_json_panics_and_every_row_is_accounted_for(data in json(), now: i64) {
        let body = format!(r#"{{"data":[{data}]}}"#);
        let page = page(body.as_bytes(), Timestamp(now)).expect("a page");
        prop_assert_eq!(page.n_rows(), 1);
        let _ = (super::page(data.as_bytes(), NOW), error_code(data.as_bytes()));
    }

    #[test]
    fn no_field_ever_costs_a_call(
        fields in prop::collection::vec((prop::sample::select(&[
            "startedAt", "endedAt", "status", "type", "mode", "receiverType", "totalAudioMinutes",
            "totalVideoMinutes", "totalParticipants", "participants", "hasRecording", "recordings",
            "hasTranscription", "transcriptions", "initiator", "metaData",
        ][..]), json()), 0..16),
    ) {
        let fields: String = fields.iter().map(|(name, value)| format!(r#","{name}":{value}"#)).collect();
        let page = rows(&[&format!("{{{SESSION_ID}{fields}}}")]);
        prop_assert_eq!(page.calls.len(), 1);
    }

    #[test]
    fn a_row_never_changes_its_neighbours(before in json(), between in json(), after in json()) {
        let good = |id: &str| format!(
            r#"{{"sessionId":"{id}","initiatedAt":1760000000,"status":"ended","totalAudioMinutes":1.5}}"#
        );
        let (one, two) = (good("one!"), good("two!"));
        let alone = rows(&[&one, &two]);
        let among = rows(&[&before, &one, &between, &two, &after]);
        let is_good = |call: &crate::call::Call| ["one!", "two!"].contains(&&*call.key.session_id);
        let found: Vec<_> = among.calls.into_iter().filter(is_good).collect();
        prop_assert_eq!(found, alone.calls);
    }
}
