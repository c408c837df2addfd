//! The parts of every fault: a database, a server, a load, and measurements.

mod backing;
mod client;
mod echo;
mod fixtures;
mod flood;
mod footprint;
mod kind;
mod load;
mod overload;
mod record;
mod server;
mod trial;
mod users;

pub(crate) use self::{
    backing::Backing,
    client::{Connection, post},
    echo::Echo,
    fixtures::Fixture,
    flood::{Flood, unauthorized},
    kind::{Kind, Verdict},
    load::{Load, OF_ANOTHER_TIME, USUAL, WITH_UNKNOWN_KEYS, WITHOUT_KEYS},
    overload::{EarlierWaves, Overload},
    record::Record,
    server::{Launch, Server},
    trial::{Expected, Trial},
    users::{Users, bearer, key_claims, mail_claims, now},
};
