//! Files that are broken in every way: no panic, and never a key in a fault.

use proptest::prelude::*;

use super::{SECRET, load_text};

/// What may stand in a file round a key, mostly wrong.
fn broken_yaml() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "region: us",
        "region: mars",
        "name: x",
        "app_id: a",
        "app_id: a b",
        "name: [a]",
        "x: y",
        "api_key_file: /none",
        "{",
        "]",
        "  - ",
        "\t",
        "apps:",
        "poll: {interval: 1}",
        "\"",
        "'",
        "---",
        "*a",
        "&a",
        "!!int",
        "? ",
        ": ",
        "#",
    ]);
    let pieces = prop::collection::vec((0..6_usize, piece), 0..8);
    (
        pieces.clone(),
        pieces,
        prop::sample::select(vec![
            "api_key: ",
            "api_key:",
            "api-key: ",
            "- api_key: \"",
            "api_key: &",
            "api_key: [",
            "{api_key:",
            "api_key: !",
            "api_key: !!int ",
        ]),
        prop::sample::select(vec![
            "",
            "apps:\n  - app_id: a\n",
            "apps:\n  - region: us\n",
            "apps:\n  - name: x\n",
            "apps:\n  - name: \"x\n",
            "apps:\n  - api_key_file: x\n",
            "apps:\n  - on_behalf_of: |\n",
        ]),
        0..8_usize,
    )
        .prop_map(|(before, after, key, head, indent)| {
            let lines = |pieces: Vec<(usize, &str)>| -> String {
                pieces
                    .into_iter()
                    .map(|(indent, piece)| format!("{}{piece}\n", " ".repeat(indent)))
                    .collect()
            };
            let (before, indent, after) = (lines(before), " ".repeat(indent), lines(after));
            format!("{head}{before}{indent}{key}{SECRET}\n{after}")
        })
}

proptest! {
    #[test]
    fn no_fault_ever_shows_an_inline_key(yaml in broken_yaml()) {
        if let Err(faults) = load_text(&yaml) {
            let text = faults.to_string();
            prop_assert!(!text.contains("very-secret"), "{}", text);
            prop_assert!(text.lines().all(|line| line.starts_with("x.yaml:")), "{}", text);
        }
    }

    #[test]
    fn no_text_makes_it_panic(yaml in "[a-z:\\-\\[\\]{}&*!|>'\"%@` \n\t#,?]{0,60}") {
        let _ = load_text(&yaml);
    }
}
