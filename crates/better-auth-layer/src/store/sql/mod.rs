//! What the SQL stores share.

mod answer;
mod api_keys;
mod key_table;
mod layout;
mod limits;
mod members;
mod record;
mod side_table;

pub(crate) use self::answer::{Pair, answer};
pub(crate) use self::api_keys::{ApiKeyColumn, api_key_answer, read_api_key};
pub(crate) use self::key_table::{DEFAULT_GRACE_PERIOD, KeyColumn};
pub(crate) use self::layout::{FoundTables, Layout, LayoutError, candidate_tables};
pub(crate) use self::limits::{MOST_WAITING, check_limits, check_range};
pub(crate) use self::members::{MemberColumn, member_answer, no_members, read_member};
pub(crate) use self::record::{Record, USER_COLUMNS, read_session, read_user};
pub(crate) use self::side_table::{SideColumn, SideTable};
pub(crate) use super::schema::Quoted;
