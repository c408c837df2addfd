//! Keys as parameters of a statement.

use std::error::Error;
use std::fmt;

use bytes::BytesMut;
use tokio_postgres::types::{Format, IsNull, ToSql, Type, to_sql_checked};

/// A parameter with the type that the statement is told it has.
pub(super) type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

/// A key in text form and of unknown type, for which the server takes the column's.
pub(super) struct Text<'a>(pub(super) &'a str);

/// A key for each of several lookups.
pub(super) struct Texts<'a>(pub(super) Vec<&'a str>);

impl Text<'_> {
    pub(super) fn parameter(&self) -> Parameter<'_> {
        (self, Type::UNKNOWN)
    }
}

impl Texts<'_> {
    pub(super) fn parameter(&self) -> Parameter<'_> {
        (self, Type::TEXT_ARRAY)
    }
}

/// The driver shows parameters in its own log.
impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Text(..)")
    }
}

impl fmt::Debug for Texts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Texts(..)")
    }
}

impl ToSql for Text<'_> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        out.extend_from_slice(self.0.as_bytes());
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    to_sql_checked!();
}

impl ToSql for Texts<'_> {
    fn to_sql(
        &self,
        kind: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        self.0.to_sql(kind, out)
    }

    fn accepts(kind: &Type) -> bool {
        <Vec<&str> as ToSql>::accepts(kind)
    }

    to_sql_checked!();
}
