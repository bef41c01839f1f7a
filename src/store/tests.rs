//! Both stores answer as a plain map does.

use std::collections::BTreeMap;

use proptest::collection::vec;
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;

#[derive(Default)]
struct Model(BTreeMap<AppId, (Option<Saved>, BTreeMap<CallKey, Entry>)>);

impl Model {
    fn commit(&mut self, app: &AppId, changes: &Changes) {
        let (saved, calls) = self.0.entry(app.clone()).or_default();
        *saved = Some(changes.saved.clone());
        for (key, entry) in changes.calls.clone() {
            match entry {
                Some(entry) => calls.insert(key, entry),
                None => calls.remove(&key),
            };
        }
    }

    fn calls(&self, app: &AppId, span: Span) -> Vec<(CallKey, Entry)> {
        let calls = self.0.get(app).into_iter().flat_map(|(_, calls)| calls.clone());
        calls.filter(|(key, _)| span.contains(key.initiated_at)).collect()
    }
}

pub(super) fn calls(store: &dyn Store, app: &AppId, span: Span) -> Vec<(CallKey, Entry)> {
    let mut calls = Vec::new();
    store.calls(app, span, &mut |key, entry| calls.push((key, entry))).unwrap();
    calls
}

fn check(store: &dyn Store, model: &Model, app: &AppId, span: Span) {
    let saved = model.0.get(app).and_then(|(saved, _)| saved.clone());
    assert_eq!(store.load(app).unwrap(), saved);
    let expected = model.calls(app, span);
    let mut glimpses = Vec::new();
    let mut keep = |seen: Glimpse<'_>| {
        let key = CallKey { initiated_at: seen.initiated_at, session_id: seen.session_id.into() };
        glimpses.push((key, seen.phase, seen.due));
    };
    store.glance(app, span, &mut keep).unwrap();
    let outline = expected.iter().map(|(key, entry)| (key.clone(), entry.phase, entry.due));
    assert_eq!(glimpses, outline.collect::<Vec<_>>());
    assert_eq!(calls(store, app, span), expected);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn both_stores_answer_as_a_plain_map(
        commits in vec((strategies::app_id(), strategies::changes()), 0..12),
        other in strategies::app_id(),
        spans in vec((strategies::timestamp(), strategies::timestamp()), 4),
    ) {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("state.redb");
        let (memory, file) = (MemoryStore::new(), FileStore::open(&path).unwrap());
        let mut model = Model::default();
        for (app, changes) in &commits {
            model.commit(app, changes);
            memory.commit(app, changes).unwrap();
            file.commit(app, changes).unwrap();
        }
        drop(file);
        let file = FileStore::open(&path).unwrap();
        prop_assert!(!file.is_new());
        let spans = spans.into_iter().map(|(from, to)| Span::new(from, to));
        let near = Span::new(Timestamp(-1), Timestamp(2));
        for span in spans.chain([near, Span::new(Timestamp::MIN, Timestamp::MAX)]) {
            for app in commits.iter().map(|(app, _)| app).chain([&other]) {
                check(&memory, &model, app, span);
                check(&file, &model, app, span);
            }
        }
    }

    #[test]
    fn memory_is_given_back(changes in strategies::changes(), app in strategies::app_id()) {
        let memory = MemoryStore::new();
        memory.commit(&app, &Changes { calls: Vec::new(), ..changes.clone() }).unwrap();
        let without_calls = memory.size_bytes();
        memory.commit(&app, &changes).unwrap();
        let gone = changes.calls.iter().map(|(key, _)| (key.clone(), None)).collect();
        memory.commit(&app, &Changes { calls: gone, ..changes }).unwrap();
        prop_assert_eq!(memory.size_bytes(), without_calls);
    }
}
