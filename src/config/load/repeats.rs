//! Apps of a file that share a name, or are the same app.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::config::fault::{Collector, quoted};
use crate::config::raw::Fields;

/// Reports each app whose name, or `app_id` + `on_behalf_of`, an earlier one has.
///
/// It compares what is written, so that an app with other faults is compared too.
pub(super) fn report(list: &[Fields], faults: &mut Collector) {
    let (mut names, mut ids) = (BTreeMap::new(), BTreeMap::new());
    for fields in list {
        let Some(app_id) = fields.scalar("app_id") else { continue };
        let user = fields.scalar("on_behalf_of").map_or("", |placed| placed.text.as_str());
        let line = app_id.place.line;
        let same_app = first_use(&mut ids, (app_id.text.as_str(), user), line);
        if let Some(first) = same_app {
            let shown = quoted(&app_id.text);
            let whose = if user.is_empty() {
                String::new()
            } else {
                format!(" on behalf of {}", quoted(user))
            };
            let sentence =
                format!("app_id {shown}{whose} is listed twice, the first time in line {first}");
            faults.at(app_id.place, sentence);
        }
        let own_name = fields.scalar("name");
        let name = own_name.unwrap_or(app_id);
        let Some(first) = first_use(&mut names, name.text.as_str(), name.place.line) else {
            continue;
        };
        let shown = quoted(&name.text);
        if own_name.is_some() {
            let sentence = format!("name {shown} is used twice, the first time in line {first}");
            faults.at(name.place, sentence);
        } else if same_app.is_none() {
            let sentence = format!(
                "name is missing: without one it is the app_id {shown}, and line {first} uses that"
            );
            faults.at(name.place, sentence);
        }
    }
}

/// The line in which `key` was used before, if it was.
fn first_use<K: Ord>(lines: &mut BTreeMap<K, u64>, key: K, line: u64) -> Option<u64> {
    match lines.entry(key) {
        Entry::Occupied(first) => Some(*first.get()),
        Entry::Vacant(unused) => {
            unused.insert(line);
            None
        }
    }
}
