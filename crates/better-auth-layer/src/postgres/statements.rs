//! The SQL of every lookup.

use super::column_type::{ColumnType, FoundColumn};
use crate::store::sql::{Layout, Quoted};
use crate::store::{Column, LookupKind};

/// The statements for one layout, written once.
///
/// Each answers in one round trip, works on any connection of any pooler, and is indifferent to the session's time
/// zone: times are compared and returned as seconds since the epoch. Every column is cast, so that a type may change
/// while the service runs.
///
/// Rows: the user's columns, then the session's, in the order of [`Column::ALL`]. No row: no user (by token: no such
/// session). A row without a session id: no active session (by token: a row without a user id: no user).
#[derive(Debug)]
pub(super) struct Statements {
    pub(super) by_email: String,
    pub(super) by_email_and_session: String,
    pub(super) by_user_id: String,
    pub(super) by_user_id_and_session: String,
    pub(super) by_token: Option<String>,
    pub(super) check: String,
}

impl Statements {
    pub(super) fn new(layout: &Layout<FoundColumn>) -> Self {
        let sql = Sql { layout };
        Self {
            by_email: sql.by_user(LookupKind::Email, false),
            by_email_and_session: sql.by_user(LookupKind::Email, true),
            by_user_id: sql.by_user(LookupKind::UserId, false),
            by_user_id_and_session: sql.by_user(LookupKind::UserId, true),
            by_token: layout.column(Column::SessionToken).map(|_| sql.by_token()),
            check: sql.check(),
        }
    }
}

struct Sql<'a> {
    layout: &'a Layout<FoundColumn>,
}

impl Sql<'_> {
    /// By e-mail: `$1` as given, `$2` in lower case, `$3` now, `$4` session id. By user id: `$1`, `$2` now, `$3`.
    fn by_user(&self, kind: LookupKind, narrowed: bool) -> String {
        let (user_id, email) = (
            self.column("u", Column::UserId),
            self.column("u", Column::UserEmail),
        );
        let (condition, order, now, session_id) = if kind == LookupKind::Email {
            (
                // The column's own comparison finds the rows by its index; as it may have no regard to case, letter
                // for letter is said as well.
                format!("{email} IN ($1, $2) AND {email}::text COLLATE \"C\" IN ($1, $2)"),
                format!(" ORDER BY ({email}::text COLLATE \"C\" = $1) DESC"),
                "$3",
                "$4",
            )
        } else {
            (format!("{user_id} = $1"), String::new(), "$2", "$3")
        };
        let narrowing = if narrowed {
            format!(
                " AND {} = {session_id}",
                self.column("s", Column::SessionId)
            )
        } else {
            String::new()
        };
        format!(
            "SELECT {user}, {session_names} \
             FROM (SELECT {user_columns}, {user_id} AS key FROM {users} u WHERE {condition}{order} LIMIT 2) u \
             LEFT JOIN LATERAL (SELECT {session_columns} FROM {sessions} s \
             WHERE {owned} AND {expires_at} > {now}{narrowing} ORDER BY {preference} LIMIT 1) s ON true",
            user = names("u", true),
            session_names = names("s", false),
            user_columns = self.expressions("u", true),
            session_columns = self.expressions("s", false),
            users = self.layout.user_table(),
            sessions = self.layout.session_table(),
            owned = self.owned_by("u.key"),
            expires_at = self.epoch("s", Column::SessionExpiresAt),
            preference = self.preference(),
        )
    }

    /// `$1` the token, `$2` now.
    fn by_token(&self) -> String {
        format!(
            "SELECT {user}, {session} FROM {sessions} s LEFT JOIN {users} u ON {owned} \
             WHERE {token} = $1 AND {expires_at} > $2 LIMIT 2",
            user = self.expressions("u", true),
            session = self.expressions("s", false),
            sessions = self.layout.session_table(),
            users = self.layout.user_table(),
            owned = self.owned_by(&self.column("u", Column::UserId)),
            token = self.column("s", Column::SessionToken),
            expires_at = self.epoch("s", Column::SessionExpiresAt),
        )
    }

    /// Reads what every lookup reads, of nobody.
    fn check(&self) -> String {
        format!(
            "SELECT {user}, {session} FROM {users} u, {sessions} s LIMIT 0",
            user = self.expressions("u", true),
            session = self.expressions("s", false),
            users = self.layout.user_table(),
            sessions = self.layout.session_table(),
        )
    }

    /// Compares as the types are where they agree, so that the index is used; else as text.
    fn owned_by(&self, user_id: &str) -> String {
        let owner = self.column("s", Column::SessionUserId);
        let types = (
            self.layout.column_type(Column::UserId),
            self.layout.column_type(Column::SessionUserId),
        );
        if types.0 == types.1 && types.0 != ColumnType::Other {
            format!("{owner} = {user_id}")
        } else {
            format!("{owner}::text = {user_id}::text")
        }
    }

    /// The order of [`Session::preferred`](crate::Session::preferred).
    fn preference(&self) -> String {
        let own_first = match self.layout.column(Column::SessionImpersonatedBy) {
            Some(_) => format!(
                "{} IS NOT NULL, ",
                self.column("s", Column::SessionImpersonatedBy)
            ),
            None => String::new(),
        };
        format!(
            "{own_first}{} DESC, {}::text COLLATE \"C\"",
            self.column("s", Column::SessionExpiresAt),
            self.column("s", Column::SessionId)
        )
    }

    fn expressions(&self, table: &str, of_user: bool) -> String {
        let columns = Column::ALL
            .iter()
            .copied()
            .filter(|column| column.is_in_user_table() == of_user)
            .map(|column| format!("{} AS {}", self.expression(table, column), alias(column)));
        columns.collect::<Vec<_>>().join(", ")
    }

    fn expression(&self, table: &str, column: Column) -> String {
        let exists = self.layout.column(column).is_some();
        match column {
            Column::UserBanExpires | Column::SessionExpiresAt | Column::SessionCreatedAt
                if exists =>
            {
                self.epoch(table, column)
            }
            Column::UserBanExpires | Column::SessionExpiresAt | Column::SessionCreatedAt => {
                "NULL::float8".to_owned()
            }
            _ if exists => format!("{}::text", self.column(table, column)),
            _ => "NULL::text".to_owned(),
        }
    }

    /// Seconds since the epoch. A timestamp without a zone holds UTC. A number is milliseconds where it is too large
    /// for seconds.
    fn epoch(&self, table: &str, column: Column) -> String {
        let name = self.column(table, column);
        match self.layout.column_type(column) {
            ColumnType::Number => format!(
                "(CASE WHEN abs({name}::float8) > 1e11 THEN {name}::float8 / 1000 ELSE {name}::float8 END)"
            ),
            _ => format!("extract(epoch from {name})::float8"),
        }
    }

    fn column(&self, table: &str, column: Column) -> String {
        let name = self.layout.column(column).unwrap_or_default();
        format!("{table}.{}", Quoted(name))
    }
}

fn names(table: &str, of_user: bool) -> String {
    let columns = Column::ALL
        .iter()
        .copied()
        .filter(|column| column.is_in_user_table() == of_user)
        .map(|column| format!("{table}.{}", alias(column)));
    columns.collect::<Vec<_>>().join(", ")
}

fn alias(column: Column) -> String {
    format!("c{}", column as usize)
}
