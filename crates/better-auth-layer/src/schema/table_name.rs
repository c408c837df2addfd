//! Table names, parsed from text and quoted for SQL.

use std::fmt;

/// A table's name and, optionally, the database schema that contains it. SQL always quotes both, so
/// they are case-sensitive.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct TableName {
    schema: Option<String>,
    name: String,
}

#[cfg_attr(
    not(any(feature = "postgres", feature = "sqlite")),
    expect(dead_code, reason = "only the SQL stores read tables")
)]
impl TableName {
    /// A table without a database schema.
    pub(crate) fn new(name: impl Into<String>) -> Self {
        Self {
            schema: None,
            name: name.into(),
        }
    }

    /// Parses `user`, `auth.user` or, quoted as in SQL, `"auth"."user"`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (first, rest) = identifier(text)?;
        if rest.is_empty() {
            return Some(Self::new(first));
        }
        let (second, rest) = identifier(rest.strip_prefix('.')?)?;
        rest.is_empty().then(|| Self::new(second).in_schema(first))
    }

    pub(crate) fn in_schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = Some(schema.into());
        self
    }

    pub(crate) fn schema(&self) -> Option<&str> {
        self.schema.as_deref()
    }

    /// The name without the database schema.
    #[cfg(feature = "sqlite")]
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

/// The quoted form, for SQL.
impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            write!(f, "{}.", Quoted(schema))?;
        }
        write!(f, "{}", Quoted(&self.name))
    }
}

/// An identifier in SQL's double quotes.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.replace('"', "\"\""))
    }
}

/// Splits one identifier, quoted or not, from the rest of the text.
fn identifier(text: &str) -> Option<(String, &str)> {
    let (name, rest) = match text.strip_prefix('"') {
        None => {
            let name = text.split('.').next().unwrap_or(text);
            if name.contains('"') {
                return None;
            }
            (name.to_owned(), text.strip_prefix(name)?)
        }
        Some(mut rest) => {
            let mut name = String::new();
            loop {
                let (part, after) = rest.split_once('"')?;
                name.push_str(part);
                match after.strip_prefix('"') {
                    Some(after) => {
                        name.push('"');
                        rest = after;
                    }
                    None => break (name, after),
                }
            }
        }
    };
    is_identifier(&name).then_some((name, rest))
}

/// Whether a database can have an identifier with this name.
pub(super) fn is_identifier(name: &str) -> bool {
    !name.is_empty() && !name.contains('\0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_names_are_parsed_back() {
        for name in [
            TableName::new("user"),
            TableName::new("a.b").in_schema("we\"ird"),
            TableName::new("Grün \u{1F980}").in_schema("Case"),
        ] {
            assert_eq!(TableName::parse(&name.to_string()), Some(name));
        }
        let odd = TableName::parse(r#""odd.""name"."user""#);
        assert_eq!(odd, Some(TableName::new("user").in_schema(r#"odd."name"#)));
        let plain = TableName::parse("auth.user");
        assert_eq!(plain, Some(TableName::new("user").in_schema("auth")));
    }

    #[test]
    fn invalid_names_are_rejected() {
        for text in [
            "", ".", "a.", ".a", "a.b.c", "\"a", "a\"b", "\"a\"b", "\"\"", "\"a\".", "a\0",
        ] {
            assert_eq!(TableName::parse(text), None, "{text:?}");
        }
    }
}
