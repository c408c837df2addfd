//! What every ordeal needs: a database and a server of its own, load on it, and an eye on what both become.

mod backing;
mod client;
mod echo;
mod fixtures;
mod flood;
mod footprint;
mod kind;
mod load;
mod people;
mod record;
mod server;
mod strain;
mod trial;

pub(crate) use self::{
    backing::Backing,
    client::{Connection, post},
    echo::Echo,
    fixtures::World,
    flood::{Flood, unauthorized},
    kind::{CheckStatus, Kind},
    load::{Load, OF_ANOTHER_TIME, USUAL, WITH_UNKNOWN_KEYS, WITHOUT_KEYS},
    people::{People, bearer, key_claims, mail_claims, now},
    record::Record,
    server::{Launch, Server},
    strain::{EarlierWaves, Strain},
    trial::{Expected, Trial},
};
