//! The SQL of every lookup.

use super::column_type::{ColumnType, FoundColumn};
use super::key_type::KeyType;
use crate::store::sql::{ApiKeyColumn, KeyColumn, Layout, Quoted, SideTable};
use crate::store::{Column, Lookup, LookupKind, StoreError, StoreErrorKind};

/// The statements for one layout, written once.
///
/// Each answers in one round trip, works on any connection of any pooler, and is indifferent to the session's time
/// zone: times are compared and returned as seconds since the epoch. Every column is cast, so that a type may change
/// while the service runs.
///
/// Rows: the user's columns, then the session's, in the order of [`Column::ALL`], then the application's own. No row:
/// no user (by token: no such session). A row without a session id: no active session (by token: a row without a user
/// id: no user).
#[derive(Debug)]
pub(super) struct LookupSql {
    pub(super) by_email: Form,
    pub(super) by_email_and_session: Form,
    pub(super) by_user_id: Form,
    pub(super) by_user_id_and_session: Form,
    pub(super) by_token: Option<Form>,
    /// Rows: the user's columns, the key's in the order of [`ApiKeyColumn::ALL`], the application's own.
    pub(super) by_api_key: Result<Form, String>,
    pub(super) check: String,
}

/// The statement for one kind of lookup.
///
/// Parameters: the address as given, in lower case, now and perhaps the session id; the user's id or the session's
/// token, now and perhaps the session id; the API key's hash.
#[derive(Debug)]
pub(super) struct Form {
    /// For one lookup.
    pub(super) alone: String,
    /// For several.
    pub(super) together: Option<Together>,
}

/// The same statement for several lookups: each parameter is an array with a value for each, and each row says in a
/// further column which lookup it answers, counted from 1.
#[derive(Debug)]
pub(super) struct Together {
    pub(super) sql: String,
    pub(super) key: KeyType,
    /// Of the session's id, where that is asked for.
    pub(super) session_id: Option<KeyType>,
}

impl LookupSql {
    /// `api_keys`: the table of API keys, or why there is none.
    pub(super) fn new(
        layout: &Layout<FoundColumn>,
        api_keys: Result<SideTable<FoundColumn>, String>,
    ) -> Self {
        let sql = Sql { layout };
        let by_user = |kind, narrowed: bool| {
            let key = match kind {
                LookupKind::Email => Column::UserEmail,
                _ => Column::UserId,
            };
            let session_id = layout.key_type(Column::SessionId);
            Form::new(
                [
                    Some(Parameter::Key),
                    (kind == LookupKind::Email).then_some(Parameter::LowerCased),
                    Some(Parameter::Now),
                    narrowed.then_some(Parameter::SessionId),
                ],
                layout.key_type(key),
                narrowed.then_some(session_id),
                |names| sql.by_user(kind, narrowed, names),
            )
        };
        let by_token = || {
            Form::new(
                [Some(Parameter::Key), Some(Parameter::Now), None, None],
                layout.key_type(Column::SessionToken),
                None,
                |names| sql.by_token(names),
            )
        };
        let by_api_key = |keys: SideTable<FoundColumn>| {
            let hash = keys.column(ApiKeyColumn::Key as usize);
            Form::new(
                [Some(Parameter::Key), None, None, None],
                hash.and_then(|(_, found)| found.key),
                None,
                |names| sql.by_api_key(&keys, names),
            )
        };
        Self {
            by_email: by_user(LookupKind::Email, false),
            by_email_and_session: by_user(LookupKind::Email, true),
            by_user_id: by_user(LookupKind::UserId, false),
            by_user_id_and_session: by_user(LookupKind::UserId, true),
            by_token: layout.column(Column::SessionToken).map(|_| by_token()),
            by_api_key: api_keys.map(by_api_key),
            check: sql.check(),
        }
    }

    /// The statement for a lookup, or why there is none.
    pub(super) fn form(&self, lookup: &Lookup<'_>, narrowed: bool) -> Result<&Form, StoreError> {
        match (lookup.key().kind(), narrowed) {
            (LookupKind::Email, false) => Ok(&self.by_email),
            (LookupKind::Email, true) => Ok(&self.by_email_and_session),
            (LookupKind::UserId, false) => Ok(&self.by_user_id),
            (LookupKind::UserId, true) => Ok(&self.by_user_id_and_session),
            (LookupKind::SessionToken, _) => self.by_token.as_ref().ok_or_else(|| {
                let cause = "the session table has no `token` column";
                StoreError::new(StoreErrorKind::Unsupported, cause)
            }),
            (LookupKind::ApiKey, _) => self
                .by_api_key
                .as_ref()
                .map_err(|lack| StoreError::new(StoreErrorKind::Schema, lack.as_str())),
        }
    }
}

#[derive(Clone, Copy)]
enum Parameter {
    /// For an e-mail address, as given.
    Key,
    LowerCased,
    Now,
    SessionId,
}

/// What a statement calls its parameters.
#[derive(Default)]
struct Names {
    key: String,
    lower_cased: String,
    now: String,
    session_id: String,
}

impl Form {
    /// `session_id`: its type, where it is asked for.
    fn new(
        parameters: [Option<Parameter>; 4],
        key: Option<KeyType>,
        session_id: Option<Option<KeyType>>,
        statement: impl Fn(&Names) -> String,
    ) -> Self {
        let mut alone = Names::default();
        let mut arrays = Vec::new();
        let mut columns = Vec::new();
        for (index, parameter) in parameters.into_iter().flatten().enumerate() {
            let number = index + 1;
            let (name, column, of) = match parameter {
                Parameter::Key => (&mut alone.key, "key", "text"),
                Parameter::LowerCased => (&mut alone.lower_cased, "lower_cased", "text"),
                Parameter::Now => (&mut alone.now, "now", "float8"),
                Parameter::SessionId => (&mut alone.session_id, "session_id", "text"),
            };
            *name = format!("${number}");
            arrays.push(format!("${number}::{of}[]"));
            columns.push(column);
        }
        let together = |key: KeyType, session_id: Option<KeyType>| {
            let each = statement(&Names {
                key: format!("asked.key::{}", key.name()),
                lower_cased: format!("asked.lower_cased::{}", key.name()),
                now: "asked.now".to_owned(),
                session_id: session_id
                    .map(|of| format!("asked.session_id::{}", of.name()))
                    .unwrap_or_default(),
            });
            Together {
                sql: format!(
                    "SELECT answer.*, asked.number FROM unnest({}) WITH ORDINALITY AS asked ({}, number) \
                     CROSS JOIN LATERAL ({each}) AS answer",
                    arrays.join(", "),
                    columns.join(", "),
                ),
                key,
                session_id,
            }
        };
        Self {
            alone: statement(&alone),
            together: match (key, session_id) {
                (Some(key), None) => Some(together(key, None)),
                (Some(key), Some(Some(session_id))) => Some(together(key, Some(session_id))),
                _ => None,
            },
        }
    }
}

/// The statement for the public keys. Rows: id, public key, algorithm, end.
pub(super) fn public_keys(keys: &SideTable<FoundColumn>) -> String {
    let column = |column: KeyColumn| keys.column(column as usize);
    let text = |name| match column(name) {
        Some((name, _)) => format!("{}::text", Quoted(name)),
        None => "NULL::text".to_owned(),
    };
    let ends = match column(KeyColumn::ExpiresAt) {
        Some((name, found)) => epoch(&Quoted(name).to_string(), found.kind),
        None => "NULL::float8".to_owned(),
    };
    format!(
        "SELECT {}, {}, {}, {ends} FROM {}",
        text(KeyColumn::Id),
        text(KeyColumn::PublicKey),
        text(KeyColumn::Alg),
        keys.table()
    )
}

struct Sql<'a> {
    layout: &'a Layout<FoundColumn>,
}

impl Sql<'_> {
    fn by_user(&self, kind: LookupKind, narrowed: bool, names: &Names) -> String {
        let Names {
            key,
            lower_cased,
            now,
            session_id,
        } = names;
        let (user_id, email) = (
            self.column("u", Column::UserId),
            self.column("u", Column::UserEmail),
        );
        let (condition, order) = if kind == LookupKind::Email {
            (
                // The column's own comparison finds the rows by its index; as it may have no regard to case, letter
                // for letter is said as well.
                format!(
                    "{email} IN ({key}, {lower_cased}) AND {email}::text COLLATE \"C\" IN ({key}, {lower_cased})"
                ),
                format!(" ORDER BY ({email}::text COLLATE \"C\" = {key}) DESC"),
            )
        } else {
            (format!("{user_id} = {key}"), String::new())
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
            "SELECT {user}, {session_names}{fields} \
             FROM (SELECT {user_columns}{field_columns}, {user_id} AS key FROM {users} u WHERE {condition}{order} LIMIT 2) u \
             LEFT JOIN LATERAL (SELECT {session_columns} FROM {sessions} s \
             WHERE {owned} AND {expires_at} > {now}{narrowing} ORDER BY {preference} LIMIT 1) s ON true",
            user = column_names("u", true),
            session_names = column_names("s", false),
            fields = self.field_names(),
            field_columns = self.fields(),
            user_columns = self.expressions("u", true),
            session_columns = self.expressions("s", false),
            users = self.layout.user_table(),
            sessions = self.layout.session_table(),
            owned = self.owned_by("u.key"),
            expires_at = self.epoch("s", Column::SessionExpiresAt),
            preference = self.preference(),
        )
    }

    fn by_token(&self, Names { key, now, .. }: &Names) -> String {
        format!(
            "SELECT {user}, {session}{fields} FROM {sessions} s LEFT JOIN {users} u ON {owned} \
             WHERE {token} = {key} AND {expires_at} > {now} LIMIT 2",
            fields = self.fields(),
            user = self.expressions("u", true),
            session = self.expressions("s", false),
            sessions = self.layout.session_table(),
            users = self.layout.user_table(),
            owned = self.owned_by(&self.column("u", Column::UserId)),
            token = self.column("s", Column::SessionToken),
            expires_at = self.epoch("s", Column::SessionExpiresAt),
        )
    }

    fn by_api_key(&self, keys: &SideTable<FoundColumn>, Names { key, .. }: &Names) -> String {
        let found = |column: ApiKeyColumn| {
            let (name, found) = keys.column(column as usize)?;
            Some((format!("k.{}", Quoted(name)), found.kind))
        };
        let expression = |column: ApiKeyColumn| match found(column) {
            Some((name, kind)) if column.is_time() => epoch(&name, kind),
            Some((name, _)) => format!("{name}::text"),
            None if column.is_time() => "NULL::float8".to_owned(),
            None => "NULL::text".to_owned(),
        };
        let columns = ApiKeyColumn::ALL.map(expression).join(", ");
        let text = |column| found(column).map(|(name, _)| name).unwrap_or_default();
        format!(
            "SELECT {user}, {columns}{fields} FROM {keys} k LEFT JOIN {users} u ON {user_id} = {owner} \
             WHERE {hash} = {key} LIMIT 2",
            user = self.expressions("u", true),
            fields = self.fields(),
            keys = keys.table(),
            users = self.layout.user_table(),
            user_id = self.column("u", Column::UserId),
            owner = self.owner(found(ApiKeyColumn::Owner)),
            hash = text(ApiKeyColumn::Key),
        )
    }

    /// The owner of an API key in the type of the user's id, so that its index is used. The column is text for ids of
    /// every type, and an organization's id in it is nobody's.
    fn owner(&self, owner: Option<(String, ColumnType)>) -> String {
        let Some((owner, kind)) = owner else {
            return "NULL".to_owned();
        };
        let id = self.layout.column_type(Column::UserId);
        if kind == id && id != ColumnType::Other {
            return owner;
        }
        match id {
            ColumnType::Number => {
                format!("CASE WHEN {owner}::text ~ '^[0-9]{{1,18}}$' THEN {owner}::text::int8 END")
            }
            ColumnType::Uuid => format!(
                "CASE WHEN {owner}::text ~ '^[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}$' THEN {owner}::text::uuid END"
            ),
            _ => format!("{owner}::text"),
        }
    }

    /// The application's own columns of the user, each with a comma in front.
    fn fields(&self) -> String {
        let fields = self.layout.user_fields().iter().enumerate();
        let fields =
            fields.map(|(index, (name, _))| format!(", u.{}::text AS f{index}", Quoted(name)));
        fields.collect()
    }

    /// The names that [`fields`](Self::fields) gave them.
    fn field_names(&self) -> String {
        let fields = 0..self.layout.user_fields().len();
        fields.map(|index| format!(", u.f{index}")).collect()
    }

    /// Reads what every lookup reads, of nobody.
    fn check(&self) -> String {
        format!(
            "SELECT {user}, {session}{fields} FROM {users} u, {sessions} s LIMIT 0",
            fields = self.fields(),
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

    fn epoch(&self, table: &str, column: Column) -> String {
        epoch(&self.column(table, column), self.layout.column_type(column))
    }

    fn column(&self, table: &str, column: Column) -> String {
        let name = self.layout.column(column).unwrap_or_default();
        format!("{table}.{}", Quoted(name))
    }
}

fn column_names(table: &str, of_user: bool) -> String {
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

/// Seconds since the epoch. A timestamp without a zone holds UTC. A number is milliseconds where it is too large for
/// seconds.
fn epoch(name: &str, kind: ColumnType) -> String {
    match kind {
        ColumnType::Number => format!(
            "(CASE WHEN abs({name}::float8) > 1e11 THEN {name}::float8 / 1000 ELSE {name}::float8 END)"
        ),
        // As `extract`, which counts in decimal numbers since PostgreSQL 14 and takes a tenth of the whole lookup for it.
        _ => format!("pg_catalog.date_part('epoch', {name})"),
    }
}
