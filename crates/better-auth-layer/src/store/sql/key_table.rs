//! Better Auth's `jwks` table.

use std::time::Duration;

use super::SideColumn;
use crate::store::schema::{Schema, TableName};

/// How long Better Auth goes on publishing a key after it has stopped signing with it (`gracePeriod`).
pub(crate) const DEFAULT_GRACE_PERIOD: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The columns of a public key. The private one beside them is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum KeyColumn {
    Id,
    PublicKey,
    Alg,
    ExpiresAt,
}

impl KeyColumn {
    pub(crate) const NAMES: [SideColumn; 4] = [
        SideColumn::required(&["id"]),
        SideColumn::required(&["publicKey", "public_key"]),
        SideColumn::optional(&["alg"]),
        SideColumn::optional(&["expiresAt", "expires_at"]),
    ];

    /// The tables that may hold them.
    pub(crate) fn tables(schema: &Schema) -> Vec<TableName> {
        super::layout::tables(schema, schema.key_table(), ["jwks", "jwkss"])
    }
}
