//! The SQL of every lookup, for all databases.
//!
//! A statement answers a lookup in one round trip. An email is looked up as given and in ASCII lower
//! case, and the exact spelling takes precedence. Keys are compared by the column's own operator, for
//! its index, and the rows' keys are compared again in Rust, so that neither a collation nor a type
//! decides which user is found. Every column is cast, so its type may change while the service runs.

use super::api_key_row::ApiKeyTable;
use super::column_type::{BatchKey, ColumnType};
use super::dialect::Dialect;
use super::jwks_row::JwksTable;
use super::member_row::MemberTable;
use super::resolved_schema::{ResolvedSchema, SessionTable, UserTable};
use super::table::Column;
use crate::schema::Quoted;
use crate::store::{Lookup, LookupKind, StoreError, StoreErrorKind};

/// The statements of all lookups for one schema.
///
/// Rows have the user's columns, then those of the session or the API key, as
/// [`LookupRow`](super::LookupRow) reads them. A lookup without a row found nothing. A row without a
/// session means that the user has no active session.
#[derive(Debug)]
pub(crate) struct Statements {
    by_email: Statement,
    by_email_and_session: Statement,
    by_user_id: Statement,
    by_user_id_and_session: Statement,
    by_token: Option<Statement>,
    /// The error lists missing columns.
    by_api_key: Result<Statement, String>,
    /// Reads no row of the columns that lookups read.
    #[cfg(feature = "postgres")]
    pub(crate) check: String,
}

/// The statement of one kind of lookup.
///
/// Its parameters are the key, for an email the key in lower case, except for API keys the time of
/// the lookup, and if the lookup is for one session its id.
#[derive(Debug)]
pub(crate) struct Statement {
    pub(crate) sql: String,
    /// The form for several lookups, if there is one.
    #[cfg_attr(
        not(feature = "postgres"),
        expect(dead_code, reason = "PostgreSQL only")
    )]
    pub(crate) batch: Option<Batch>,
}

/// A statement for several lookups. Each parameter is an array with a value for each lookup, and the
/// last column of a row is the number of the row's lookup, counted from 1.
#[derive(Debug)]
#[cfg_attr(
    not(feature = "postgres"),
    expect(dead_code, reason = "PostgreSQL only")
)]
pub(crate) struct Batch {
    pub(crate) sql: String,
    pub(crate) key: BatchKey,
    /// The type of the session's id, if the lookups are for one session each.
    pub(crate) session_id: Option<BatchKey>,
}

/// The parameters of a lookup, as its statement writes them.
#[derive(Default)]
struct Parameters {
    key: String,
    lower_case: String,
    now: String,
    session_id: Option<String>,
}

/// How a value is selected.
#[derive(Clone, Copy)]
enum Value {
    Text,
    Time,
    /// A time at which something ends, if it ends.
    End,
}

type Selection<'a> = Vec<(Value, Option<&'a Column>)>;

impl Statements {
    /// `api_keys` is the table of API keys, or a list of its missing columns.
    pub(crate) fn new(
        dialect: Dialect,
        schema: &ResolvedSchema,
        api_keys: Result<ApiKeyTable, String>,
    ) -> Self {
        let lookups = Lookups { dialect, schema };
        Self {
            by_email: lookups.by_user(LookupKind::Email, false),
            by_email_and_session: lookups.by_user(LookupKind::Email, true),
            by_user_id: lookups.by_user(LookupKind::UserId, false),
            by_user_id_and_session: lookups.by_user(LookupKind::UserId, true),
            by_token: schema
                .session
                .token
                .as_ref()
                .map(|token| lookups.by_token(token)),
            by_api_key: api_keys.map(|keys| lookups.by_api_key(&keys)),
            #[cfg(feature = "postgres")]
            check: lookups.check(),
        }
    }

    /// The statement of a lookup. `for_session`: only the session with the lookup's session id is of
    /// interest, which lookups by token and API key do not distinguish.
    pub(crate) fn get(
        &self,
        lookup: &Lookup<'_>,
        for_session: bool,
    ) -> Result<&Statement, StoreError> {
        match (lookup.key().kind(), for_session) {
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
                .map_err(|missing| StoreError::new(StoreErrorKind::Schema, missing.as_str())),
        }
    }
}

/// The statement for the public keys, whose rows are read by
/// [`add_public_key`](super::add_public_key).
pub(crate) fn public_keys(dialect: Dialect, keys: &JwksTable) -> String {
    let columns = dialect.select(
        "k",
        &[
            (Value::Text, Some(&keys.id)),
            (Value::Text, Some(&keys.public_key)),
            (Value::Text, keys.alg.as_ref()),
            (Value::End, keys.expires_at.as_ref()),
        ],
    );
    format!("SELECT {} FROM {} k", columns.join(", "), keys.table)
}

/// The statement for a membership, whose rows are read by [`read_member`](super::read_member). Its
/// parameters are the user's id and the organization's.
pub(crate) fn membership(dialect: Dialect, members: &MemberTable) -> String {
    let user_id = column("m", &members.user_id);
    let organization_id = column("m", &members.organization_id);
    let columns = [&user_id, &organization_id, &column("m", &members.role)];
    format!(
        "SELECT DISTINCT {} FROM {} m WHERE {user_id} = {} AND {organization_id} = {}",
        columns.map(|name| dialect.exact_text(name)).join(", "),
        members.table,
        dialect.parameter(1),
        dialect.parameter(2),
    )
}

struct Lookups<'a> {
    dialect: Dialect,
    schema: &'a ResolvedSchema,
}

impl Lookups<'_> {
    /// Finds the user, then the session that takes precedence among the user's active ones.
    fn by_user(&self, kind: LookupKind, for_session: bool) -> Statement {
        let Self { dialect, schema } = self;
        let ResolvedSchema { user, session } = schema;
        let is_email = kind == LookupKind::Email;
        let key = if is_email { &user.email } else { &user.id };
        let users = self.users();
        let statement = |parameters: &Parameters| {
            let Parameters {
                key, lower_case, ..
            } = parameters;
            let (user_id, email) = (column("u", &user.id), column("u", &user.email));
            let condition = if is_email {
                let exact = dialect.exact_text(&email);
                format!(
                    "{email} IN ({key}, {lower_case}) AND {exact} IN ({key}, {lower_case}) \
                     ORDER BY ({exact} = {key}) DESC"
                )
            } else {
                format!("{user_id} = {key}")
            };
            let (session_columns, join) = self.join_session(parameters);
            format!(
                "SELECT {user_columns}, {session_columns} \
                 FROM (SELECT {selected}, {user_id} AS key FROM {table} u WHERE {condition} LIMIT 2) u \
                 {join}",
                user_columns = aliases("u", users.len()),
                selected = users.join(", "),
                table = user.table,
            )
        };
        self.statement(
            key,
            is_email,
            true,
            for_session.then_some(&session.id),
            statement,
        )
    }

    /// The columns of the session, and the join that finds it for the user `u.key`.
    fn join_session(&self, parameters: &Parameters) -> (String, String) {
        let session = &self.schema.session;
        let table = &session.table;
        match self.dialect {
            #[cfg(feature = "postgres")]
            Dialect::Postgres => {
                let selected = self.sessions();
                let active = self.active_session("s", parameters);
                let join = format!(
                    "LEFT JOIN LATERAL (SELECT {} FROM {table} s {active}) s ON true",
                    selected.join(", ")
                );
                (aliases("s", selected.len()), join)
            }
            // SQLite has no LATERAL.
            #[cfg(feature = "sqlite")]
            Dialect::Sqlite => {
                let active = self.active_session("c", parameters);
                let (id, candidate_id) = (column("s", &session.id), column("c", &session.id));
                let join = format!(
                    "LEFT JOIN {table} s ON {id} = (SELECT {candidate_id} FROM {table} c {active})"
                );
                (self.sessions().join(", "), join)
            }
        }
    }

    /// Selects the session that [`Session::preferred`](crate::Session::preferred) takes from the
    /// user's active ones.
    fn active_session(&self, alias: &str, parameters: &Parameters) -> String {
        let (dialect, session) = (self.dialect, &self.schema.session);
        let Parameters {
            now, session_id, ..
        } = parameters;
        let owned = self.owned_by(alias, "u.key");
        let id = column(alias, &session.id);
        let expires_at = column(alias, &session.expires_at);
        let kind = session.expires_at.kind;
        let expiry = dialect.epoch(&expires_at, kind);
        let only = session_id.as_ref();
        let only = only.map_or(String::new(), |wanted| format!(" AND {id} = {wanted}"));
        let own_first = session
            .impersonated_by
            .as_ref()
            .map_or(String::new(), |admin| {
                format!("{} IS NOT NULL, ", column(alias, admin))
            });
        format!(
            "WHERE {owned} AND {expiry} > {now}{only} ORDER BY {own_first}{} DESC, {} LIMIT 1",
            dialect.time_order(&expires_at, kind),
            dialect.exact_text(&id),
        )
    }

    fn by_token(&self, token: &Column) -> Statement {
        let ResolvedSchema { user, session } = self.schema;
        self.statement(token, false, true, None, |Parameters { key, now, .. }| {
            let expires_at = column("s", &session.expires_at);
            format!(
                "SELECT {}, {} FROM {} s LEFT JOIN {} u ON {} WHERE {} = {key} AND {} > {now} LIMIT 2",
                self.users().join(", "),
                self.sessions().join(", "),
                session.table,
                user.table,
                self.owned_by("s", &column("u", &user.id)),
                column("s", token),
                self.dialect.epoch(&expires_at, session.expires_at.kind),
            )
        })
    }

    fn by_api_key(&self, keys: &ApiKeyTable) -> Statement {
        let user = &self.schema.user;
        self.statement(
            &keys.hash,
            false,
            false,
            None,
            |Parameters { key, .. }| {
                format!(
                    "SELECT {}, {} FROM {} k LEFT JOIN {} u ON {} = {} WHERE {} = {key} LIMIT 2",
                    self.users().join(", "),
                    self.dialect.select("k", &keys.selection()).join(", "),
                    keys.table,
                    user.table,
                    column("u", &user.id),
                    self.owner(&keys.owner),
                    column("k", &keys.hash),
                )
            },
        )
    }

    #[cfg(feature = "postgres")]
    fn check(&self) -> String {
        let ResolvedSchema { user, session } = self.schema;
        format!(
            "SELECT {}, {} FROM {} u, {} s LIMIT 0",
            self.users().join(", "),
            self.sessions().join(", "),
            user.table,
            session.table,
        )
    }

    /// Writes a statement for one lookup and, if the types of its keys allow it, for several.
    fn statement(
        &self,
        key: &Column,
        has_lower_case: bool,
        has_now: bool,
        session_id: Option<&Column>,
        write: impl Fn(&Parameters) -> String,
    ) -> Statement {
        let mut numbers = 1..;
        let mut parameter = || self.dialect.parameter(numbers.next().unwrap_or_default());
        let parameters = Parameters {
            key: parameter(),
            lower_case: has_lower_case.then(&mut parameter).unwrap_or_default(),
            now: has_now.then(&mut parameter).unwrap_or_default(),
            session_id: session_id.map(|_| parameter()),
        };
        let batch = match (key.batch_key, session_id.map(|column| column.batch_key)) {
            (Some(key), None) => Some(Batch::new(&parameters, key, None, &write)),
            (Some(key), Some(Some(id))) => Some(Batch::new(&parameters, key, Some(id), &write)),
            _ => None,
        };
        Statement {
            sql: write(&parameters),
            batch,
        }
    }

    /// The condition that a session belongs to a user.
    fn owned_by(&self, alias: &str, user_id: &str) -> String {
        let ResolvedSchema { user, session } = self.schema;
        let owner = column(alias, &session.user_id);
        if self
            .dialect
            .is_comparable(user.id.kind, session.user_id.kind)
        {
            format!("{owner} = {user_id}")
        } else {
            let (owner, user_id) = (self.dialect.text(&owner), self.dialect.text(user_id));
            format!("{owner} = {user_id}")
        }
    }

    /// The owner of an API key in the type of the user's id, so that its index is used. The column
    /// is text for ids of every type and may contain the id of an organization, which is then no
    /// user's.
    fn owner(&self, owner: &Column) -> String {
        let id = &self.schema.user.id;
        let name = column("k", owner);
        if self.dialect.is_comparable(owner.kind, id.kind) {
            return name;
        }
        match id.kind {
            ColumnType::Number => {
                format!("CASE WHEN {name}::text ~ '^[0-9]{{1,18}}$' THEN {name}::text::int8 END")
            }
            ColumnType::Uuid => format!(
                "CASE WHEN {name}::text ~ '^[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}$' THEN {name}::text::uuid END"
            ),
            _ => self.dialect.text(&name),
        }
    }

    fn users(&self) -> Vec<String> {
        self.dialect.select("u", &self.schema.user.selection())
    }

    fn sessions(&self) -> Vec<String> {
        self.dialect.select("s", &self.schema.session.selection())
    }
}

impl Batch {
    fn new(
        parameters: &Parameters,
        key: BatchKey,
        session_id: Option<BatchKey>,
        write: impl Fn(&Parameters) -> String,
    ) -> Self {
        let cast = |name: &str, to: BatchKey| format!("lookup.{name}::{}", to.name());
        let one = write(&Parameters {
            key: cast("key", key),
            lower_case: cast("lower_case", key),
            now: "lookup.now".to_owned(),
            session_id: session_id.map(|id| cast("session_id", id)),
        });
        let arrays = [
            (parameters.key.as_str(), "text", "key"),
            (&parameters.lower_case, "text", "lower_case"),
            (&parameters.now, "float8", "now"),
            (
                parameters.session_id.as_deref().unwrap_or_default(),
                "text",
                "session_id",
            ),
        ];
        let arrays: Vec<_> = arrays
            .iter()
            .filter(|(parameter, ..)| !parameter.is_empty())
            .collect();
        let values = arrays
            .iter()
            .map(|(parameter, of, _)| format!("{parameter}::{of}[]"));
        let names = arrays.iter().map(|(.., name)| *name);
        Self {
            sql: format!(
                "SELECT result.*, lookup.number FROM unnest({}) WITH ORDINALITY AS lookup ({}, number) \
                 CROSS JOIN LATERAL ({one}) AS result",
                values.collect::<Vec<_>>().join(", "),
                names.collect::<Vec<_>>().join(", "),
            ),
            key,
            session_id,
        }
    }
}

impl UserTable {
    fn selection(&self) -> Selection<'_> {
        let mut selection = vec![
            (Value::Text, Some(&self.id)),
            (Value::Text, Some(&self.email)),
            (Value::Text, self.email_verified.as_ref()),
            (Value::Text, self.name.as_ref()),
            (Value::Text, self.image.as_ref()),
            (Value::Text, self.role.as_ref()),
            (Value::Text, self.banned.as_ref()),
            (Value::Time, self.ban_expires.as_ref()),
        ];
        selection.extend(self.fields.iter().map(|field| (Value::Text, Some(field))));
        selection
    }
}

impl SessionTable {
    fn selection(&self) -> Selection<'_> {
        vec![
            (Value::Text, Some(&self.id)),
            (Value::Text, Some(&self.user_id)),
            (Value::Time, Some(&self.expires_at)),
            (Value::Text, self.token.as_ref()),
            (Value::Time, self.created_at.as_ref()),
            (Value::Text, self.impersonated_by.as_ref()),
            (Value::Text, self.active_organization_id.as_ref()),
        ]
    }
}

impl ApiKeyTable {
    fn selection(&self) -> Selection<'_> {
        vec![
            (Value::Text, Some(&self.id)),
            (Value::Text, Some(&self.hash)),
            (Value::Text, Some(&self.owner)),
            (Value::Text, Some(&self.enabled)),
            (Value::End, Some(&self.expires_at)),
            (Value::Text, Some(&self.remaining)),
            (Value::Text, self.config_id.as_ref()),
            (Value::Text, self.name.as_ref()),
            (Value::Text, self.refill_interval.as_ref()),
            (Value::Text, self.refill_amount.as_ref()),
            (Value::Time, self.last_refill_at.as_ref()),
            (Value::Time, self.created_at.as_ref()),
            (Value::Text, self.rate_limit_enabled.as_ref()),
            (Value::Text, self.rate_limit_time_window.as_ref()),
            (Value::Text, self.rate_limit_max.as_ref()),
            (Value::Text, self.permissions.as_ref()),
        ]
    }
}

impl Dialect {
    /// Selects columns of the table with an alias. Their own aliases are the table's with a number:
    /// `u0`, `u1`, ….
    fn select(self, table: &str, selection: &[(Value, Option<&Column>)]) -> Vec<String> {
        let expression = |(value, selected): &(Value, Option<&Column>)| {
            let Some(selected) = selected else {
                return match value {
                    Value::Text => self.null_text().to_owned(),
                    Value::Time | Value::End => self.null_time().to_owned(),
                };
            };
            let name = column(table, selected);
            match value {
                Value::Text => self.text(&name),
                Value::Time => self.epoch(&name, selected.kind),
                Value::End => self.end(&name, selected.kind),
            }
        };
        let expressions = selection.iter().map(expression).enumerate();
        let selected =
            expressions.map(|(index, expression)| format!("{expression} AS {table}{index}"));
        selected.collect()
    }
}

/// The columns that [`Dialect::select`] selected in a subquery.
fn aliases(table: &str, columns: usize) -> String {
    let names: Vec<_> = (0..columns)
        .map(|index| format!("{table}.{table}{index}"))
        .collect();
    names.join(", ")
}

fn column(table: &str, column: &Column) -> String {
    format!("{table}.{}", Quoted(&column.name))
}
