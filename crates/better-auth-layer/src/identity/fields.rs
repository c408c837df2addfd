//! Fields of an application's own.

/// Names with texts, few of them.
#[derive(Clone, Default)]
pub(super) struct Fields(Vec<(Box<str>, Box<str>)>);

impl Fields {
    /// Sets a field, in place of one with the same name.
    pub(super) fn insert(&mut self, name: Box<str>, value: Box<str>) {
        self.0.retain(|(other, _)| *other != name);
        self.0.push((name, value));
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let mut fields = self.0.iter();
        fields
            .find(|(other, _)| **other == *name)
            .map(|(_, value)| &**value)
    }
}
