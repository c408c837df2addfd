//! The SQL of every lookup.

use crate::store::sql::{ApiKeyColumn, KeyColumn, Layout, MemberColumn, Quoted, SideTable};
use crate::store::{Column, LookupKind};

/// The statements for one layout, written once.
///
/// `?1` is now, `?2` the session id or NULL, `?3` the key (by e-mail: the address as given), `?4` the address in lower
/// case. Rows: the user's columns, then the session's, in the order of [`Column::ALL`], then the application's own; a user without a session that
/// is active and asked for has NULL there. Two rows for one key are enough to see that it is ambiguous.
#[derive(Debug)]
pub(super) struct Statements {
    pub(super) by_email: String,
    pub(super) by_user_id: String,
    pub(super) by_token: Option<String>,
    /// `?1` the hash. Rows: the user's columns, the key's in the order of [`ApiKeyColumn::ALL`], the application's own.
    pub(super) by_api_key: Result<String, String>,
    /// `?1` the user's id, `?2` the organization's. Rows: the columns in the order of [`MemberColumn::ALL`].
    pub(super) member: Result<String, String>,
}

impl Statements {
    /// `api_keys` and `members`: the tables of API keys and of members, or why there is none.
    pub(super) fn new(
        layout: &Layout<()>,
        api_keys: Result<SideTable<()>, String>,
        members: Result<SideTable<()>, String>,
    ) -> Self {
        let sql = Sql { layout };
        Self {
            by_email: sql.by_user(LookupKind::Email),
            by_user_id: sql.by_user(LookupKind::UserId),
            by_token: layout.column(Column::SessionToken).map(|_| sql.by_token()),
            by_api_key: api_keys.map(|keys| sql.by_api_key(&keys)),
            member: members.map(|members| member(&members)),
        }
    }
}

/// The statement for the public keys. Rows: id, public key, algorithm, end.
pub(super) fn public_keys(keys: &SideTable<()>) -> String {
    let name = |column: KeyColumn| keys.column(column as usize).map(|(name, ())| Quoted(name));
    let text = |column| match name(column) {
        Some(name) => format!("CAST({name} AS TEXT)"),
        None => "NULL".to_owned(),
    };
    let ends = match name(KeyColumn::ExpiresAt) {
        // What cannot be read as a time has ended.
        Some(name) => ended_unless_a_time(&name.to_string()),
        None => "NULL".to_owned(),
    };
    format!(
        "SELECT {}, {}, {}, {ends} FROM {}",
        text(KeyColumn::Id),
        text(KeyColumn::PublicKey),
        text(KeyColumn::Alg),
        keys.table()
    )
}

/// Compared in the column's own way, for its index, and returned letter for letter.
fn member(members: &SideTable<()>) -> String {
    let name = |column: MemberColumn| {
        let name = members.column(column as usize);
        name.map(|(name, ())| format!("m.{}", Quoted(name)))
            .unwrap_or_default()
    };
    let columns =
        MemberColumn::ALL.map(|column| format!("CAST({} AS TEXT) COLLATE BINARY", name(column)));
    format!(
        "SELECT DISTINCT {} FROM {} m WHERE {} = ?1 AND {} = ?2",
        columns.join(", "),
        members.table(),
        name(MemberColumn::UserId),
        name(MemberColumn::OrganizationId),
    )
}

struct Sql<'a> {
    layout: &'a Layout<()>,
}

impl Sql<'_> {
    fn by_user(&self, kind: LookupKind) -> String {
        let user_id = self.column("u", Column::UserId);
        let condition = if kind == LookupKind::Email {
            // The first for the index; the second by bytes, whatever the column's own collation is.
            let email = self.column("u", Column::UserEmail);
            format!("{email} IN (?3, ?4) AND CAST({email} AS TEXT) COLLATE BINARY IN (?3, ?4)")
        } else {
            format!("{user_id} = ?3")
        };
        format!(
            "SELECT {columns} FROM (SELECT * FROM {users} u WHERE {condition} LIMIT 3) u \
             LEFT JOIN {sessions} s ON {session_id} = (SELECT {candidate_id} FROM {sessions} c \
             WHERE {owner} = {user_id} AND {expires_at} > ?1 AND (?2 IS NULL OR {candidate_id} = ?2) \
             ORDER BY {preference} LIMIT 1)",
            columns = self.columns(),
            users = self.layout.user_table(),
            sessions = self.layout.session_table(),
            session_id = self.column("s", Column::SessionId),
            candidate_id = self.column("c", Column::SessionId),
            owner = self.column("c", Column::SessionUserId),
            expires_at = self.epoch("c", Column::SessionExpiresAt),
            preference = self.preference("c"),
        )
    }

    fn by_token(&self) -> String {
        format!(
            "SELECT {columns} FROM {sessions} s LEFT JOIN {users} u ON {user_id} = {owner} \
             WHERE {token} = ?3 AND {expires_at} > ?1 AND (?2 IS NULL OR {session_id} = ?2) LIMIT 2",
            columns = self.columns(),
            sessions = self.layout.session_table(),
            users = self.layout.user_table(),
            user_id = self.column("u", Column::UserId),
            owner = self.column("s", Column::SessionUserId),
            token = self.column("s", Column::SessionToken),
            session_id = self.column("s", Column::SessionId),
            expires_at = self.epoch("s", Column::SessionExpiresAt),
        )
    }

    fn by_api_key(&self, keys: &SideTable<()>) -> String {
        let name = |column: ApiKeyColumn| {
            let (name, ()) = keys.column(column as usize)?;
            Some(format!("k.{}", Quoted(name)))
        };
        let expression = |column: ApiKeyColumn| match name(column) {
            None => "NULL".to_owned(),
            Some(name) if column == ApiKeyColumn::ExpiresAt => ended_unless_a_time(&name),
            Some(name) if column.is_time() => epoch(&name),
            Some(name) => format!("CAST({name} AS TEXT)"),
        };
        let user = Column::ALL
            .iter()
            .filter(|column| column.is_in_user_table());
        let columns = user
            .map(|column| self.expression(*column))
            .chain(ApiKeyColumn::ALL.map(expression))
            .chain(self.fields());
        let hash = name(ApiKeyColumn::Key).unwrap_or_default();
        format!(
            "SELECT {columns} FROM {keys} k LEFT JOIN {users} u ON {user_id} = {owner} WHERE {hash} = ?1 LIMIT 2",
            columns = columns.collect::<Vec<_>>().join(", "),
            keys = keys.table(),
            users = self.layout.user_table(),
            user_id = self.column("u", Column::UserId),
            owner = name(ApiKeyColumn::Owner).unwrap_or_default(),
        )
    }

    /// The application's own columns of the user.
    fn fields(&self) -> impl Iterator<Item = String> {
        let fields = self.layout.user_fields().iter();
        fields.map(|(name, ())| format!("CAST(u.{} AS TEXT)", Quoted(name)))
    }

    /// The order of [`Session::preferred`](crate::Session::preferred).
    fn preference(&self, table: &str) -> String {
        let own_first = match self.layout.column(Column::SessionImpersonatedBy) {
            Some(_) => format!(
                "{} IS NOT NULL, ",
                self.column(table, Column::SessionImpersonatedBy)
            ),
            None => String::new(),
        };
        format!(
            "{own_first}{} DESC, CAST({} AS TEXT)",
            self.epoch(table, Column::SessionExpiresAt),
            self.column(table, Column::SessionId)
        )
    }

    fn columns(&self) -> String {
        let columns = Column::ALL.iter().map(|column| self.expression(*column));
        let columns = columns.chain(self.fields());
        columns.collect::<Vec<_>>().join(", ")
    }

    fn expression(&self, column: Column) -> String {
        if self.layout.column(column).is_none() {
            return "NULL".to_owned();
        }
        let table = if column.is_in_user_table() { "u" } else { "s" };
        match column {
            Column::UserBanExpires | Column::SessionExpiresAt | Column::SessionCreatedAt => {
                self.epoch(table, column)
            }
            _ => format!("CAST({} AS TEXT)", self.column(table, column)),
        }
    }

    fn epoch(&self, table: &str, column: Column) -> String {
        epoch(&self.column(table, column))
    }

    fn column(&self, table: &str, column: Column) -> String {
        let name = self.layout.column(column).unwrap_or_default();
        format!("{table}.{}", Quoted(name))
    }
}

/// Seconds since the epoch, from whatever the row holds: ISO 8601 text (Better Auth itself; without a zone it is UTC),
/// milliseconds (Drizzle, Prisma) or seconds (older Drizzle), told apart by their size. NULL for anything else, which no
/// comparison takes for active.
fn epoch(name: &str) -> String {
    format!(
        "CASE typeof({name}) \
         WHEN 'text' THEN CASE WHEN {name} LIKE '____-%' THEN unixepoch({name}, 'subsec') END \
         WHEN 'null' THEN NULL WHEN 'blob' THEN NULL \
         ELSE CASE WHEN {name} BETWEEN -100000000000 AND 100000000000 THEN {name} * 1.0 ELSE {name} / 1000.0 END END"
    )
}

/// An end that is NULL is none; one that is no time has passed.
fn ended_unless_a_time(name: &str) -> String {
    let epoch = epoch(name);
    format!("CASE WHEN {name} IS NOT NULL THEN coalesce({epoch}, 0.0) END")
}
