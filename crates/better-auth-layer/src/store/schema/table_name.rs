//! A table's name.

use std::error::Error;
use std::fmt;
use std::str::FromStr;

/// A table's name, perhaps with the schema it is in. Case matters: names are always quoted in SQL.
///
/// As text, for `BETTER_AUTH_USER_TABLE`, it is written `user`, `auth.user`, or with the quotes of SQL where a part has
/// a dot or a quote in it:
///
/// ```
/// use better_auth_layer::store::TableName;
///
/// assert_eq!("auth.user".parse::<TableName>()?, TableName::new("user").in_schema("auth"));
/// assert_eq!(r#""odd.""name"."user""#.parse::<TableName>()?, TableName::new("user").in_schema(r#"odd."name"#));
/// assert_eq!(TableName::new("user").to_string(), r#""user""#);
/// # Ok::<(), better_auth_layer::store::TableNameError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TableName {
    schema: Option<String>,
    name: String,
}

impl TableName {
    /// A table on the search path.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            schema: None,
            name: name.into(),
        }
    }

    /// Says which schema it is in.
    #[must_use]
    pub fn in_schema(mut self, schema: impl Into<String>) -> Self {
        self.schema = Some(schema.into());
        self
    }

    /// The schema.
    #[must_use]
    pub fn schema(&self) -> Option<&str> {
        self.schema.as_deref()
    }

    /// The name without the schema.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// As SQL spells it: quoted.
impl fmt::Display for TableName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            write!(f, "{}.", Quoted(schema))?;
        }
        write!(f, "{}", Quoted(&self.name))
    }
}

/// An identifier as SQL quotes it.
pub(crate) struct Quoted<'a>(pub(crate) &'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.replace('"', "\"\""))
    }
}

impl FromStr for TableName {
    type Err = TableNameError;

    fn from_str(text: &str) -> Result<Self, TableNameError> {
        let (first, rest) = identifier(text)?;
        if rest.is_empty() {
            return Ok(Self::new(first));
        }
        let (second, rest) = identifier(rest.strip_prefix('.').ok_or(TableNameError)?)?;
        if !rest.is_empty() {
            return Err(TableNameError);
        }
        Ok(Self::new(second).in_schema(first))
    }
}

/// Takes one identifier, quoted or not, off the front.
fn identifier(text: &str) -> Result<(String, &str), TableNameError> {
    let (name, rest) = match text.strip_prefix('"') {
        None => {
            let (name, _) = text.split_once('.').unwrap_or((text, ""));
            if name.contains('"') {
                return Err(TableNameError);
            }
            (name.to_owned(), text.strip_prefix(name).unwrap_or_default())
        }
        Some(mut rest) => {
            let mut name = String::new();
            loop {
                let (part, after) = rest.split_once('"').ok_or(TableNameError)?;
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
    if name.is_empty() || name.contains('\0') {
        return Err(TableNameError);
    }
    Ok((name, rest))
}

/// The text is no table name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct TableNameError;

impl fmt::Display for TableNameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "not a table name; write `table`, `schema.table` or, quoted as in SQL, `\"schema\".\"table\"`",
        )
    }
}

impl Error for TableNameError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for name in [
            TableName::new("user"),
            TableName::new("a.b").in_schema("we\"ird"),
            TableName::new("Grün \u{1F980}").in_schema("Case"),
        ] {
            assert_eq!(name.to_string().parse(), Ok(name));
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for text in [
            "", ".", "a.", ".a", "a.b.c", "\"a", "a\"b", "\"a\"b", "\"\"", "\"a\".", "a\0",
        ] {
            assert_eq!(text.parse::<TableName>(), Err(TableNameError), "{text:?}");
        }
    }
}
