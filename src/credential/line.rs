//! One line of credentials: namespaces in turn, within a namespace the smallest key first.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    sync::Arc,
};

use jiff::Timestamp;

use super::queue::Id;

/// Who waits for the same thing in the same class.
#[derive(Debug, Default)]
pub(super) struct Line {
    namespaces: BTreeMap<Arc<str>, BTreeSet<(Timestamp, Id)>>,
    /// Whose turn it was last.
    last: Option<Arc<str>>,
}

impl Line {
    pub(super) fn push(&mut self, key: Timestamp, id: Id) {
        self.namespaces.entry(Arc::clone(&id.namespace)).or_default().insert((key, id));
    }

    pub(super) fn pop(&mut self) -> Option<Id> {
        let after_last = match &self.last {
            Some(last) => (Bound::Excluded(Arc::clone(last)), Bound::Unbounded),
            None => (Bound::Unbounded, Bound::Unbounded),
        };
        let turn = self.namespaces.range(after_last).next().or_else(|| self.namespaces.iter().next())?;
        let namespace = Arc::clone(turn.0);
        let (_, id) = self.namespaces.get_mut(&namespace)?.pop_first()?;
        self.drop_if_empty(&namespace);
        self.last = Some(namespace);
        Some(id)
    }

    pub(super) fn remove(&mut self, key: Timestamp, id: &Id) {
        if let Some(waiting) = self.namespaces.get_mut(&id.namespace) {
            waiting.remove(&(key, id.clone()));
        }
        self.drop_if_empty(&id.namespace);
    }

    pub(super) fn len(&self) -> usize {
        self.namespaces.values().map(BTreeSet::len).sum()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.namespaces.is_empty()
    }

    fn drop_if_empty(&mut self, namespace: &Arc<str>) {
        if self.namespaces.get(namespace).is_some_and(BTreeSet::is_empty) {
            self.namespaces.remove(namespace);
        }
    }
}
