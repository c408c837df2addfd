//! What happens in the deployment meanwhile: people sign in and out, change their addresses, are banned and deleted.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use better_auth_layer::api_key::ApiKeyHash;
use tokio_postgres::Client;

use super::history::{Address, Key, Person, Visit, lock};
use super::mint::Mint;
use super::validity::Tenure;
use cluster::{Database, describe};
use support::rng::Dice;

/// Somebody and all that the database has of them.
struct Household {
    person: Arc<Person>,
    address: Arc<Address>,
    has_address: Arc<Tenure>,
    visits: Vec<Arc<Visit>>,
    keys: Vec<Arc<Key>>,
    ban: Option<Arc<Tenure>>,
}

/// Changes some of the users, alone.
pub(super) struct Changes {
    mint: Arc<Mint>,
    client: Client,
    dice: Dice,
    households: Vec<Household>,
    /// How many of each kind were made.
    pub(super) made: BTreeMap<&'static str, u64>,
}

/// The most that one user has at a time.
const SESSIONS: usize = 4;
const KEYS: usize = 3;

impl Changes {
    /// With so many new users.
    pub(super) async fn begin(
        database: &Database,
        mint: &Arc<Mint>,
        users: usize,
        seed: u64,
    ) -> Self {
        let mut changes = Self {
            mint: Arc::clone(mint),
            client: database.client().await,
            dice: Dice::new(seed),
            households: Vec::new(),
            made: BTreeMap::new(),
        };
        for _ in 0..users {
            let address = changes.new_address();
            let household = changes.new_household(address).await;
            changes.households.push(household);
        }
        changes
    }

    /// Makes changes until it is told to stop.
    pub(super) async fn run(mut self, stop: Arc<AtomicBool>, pause: Duration) -> Self {
        while !stop.load(Ordering::SeqCst) {
            self.one().await;
            tokio::time::sleep(pause).await;
        }
        self
    }

    async fn one(&mut self) {
        let who = self.dice.index(&self.households);
        let mut household = self.households.swap_remove(who);
        match self.dice.throw(20) {
            0..8 if household.visits.len() > 1 => self.sign_out(&mut household).await,
            0..11 if household.visits.len() < SESSIONS => self.sign_in(&mut household).await,
            11 | 12 => self.hand_address_over(&mut household).await,
            // Bans are short, so that most users may come in.
            13 => self.ban_or_pardon(&mut household).await,
            14..17 if household.ban.is_some() => self.ban_or_pardon(&mut household).await,
            14 => household = self.replace(household).await,
            17 if household.keys.len() > 1 => self.end_key(&mut household).await,
            17 | 18 if household.keys.len() < KEYS => self.new_key(&mut household).await,
            _ => {
                let Household {
                    address, person, ..
                } = &household;
                self.mint.jwts(address, person, None, &mut self.dice);
            }
        }
        self.households.push(household);
    }

    async fn new_household(&mut self, address: Arc<Address>) -> Household {
        let person = Arc::new(Person {
            id: self.name("usr"),
            exists: Tenure::new(),
            bans: Default::default(),
            visits: Default::default(),
        });
        let has_address = Arc::new(Tenure::new());
        person.exists.begins();
        has_address.begins();
        let owner = (Arc::clone(&person), Arc::clone(&has_address));
        address.owners().push(owner);
        self.execute(&format!(
            r#"INSERT INTO "user" ("id", "name", "email", "emailVerified") VALUES ('{}', 'somebody', '{}', true)"#,
            person.id, address.text
        ))
        .await;
        person.exists.has_begun();
        has_address.has_begun();
        let mut household = Household {
            person,
            address,
            has_address,
            visits: Vec::new(),
            keys: Vec::new(),
            ban: None,
        };
        self.sign_in(&mut household).await;
        self.new_key(&mut household).await;
        self.mint
            .jwts(&household.address, &household.person, None, &mut self.dice);
        household
    }

    async fn sign_in(&mut self, household: &mut Household) {
        let visit = Arc::new(Visit {
            id: self.name("ses"),
            owner: household.person.id.clone(),
            token: self.text(),
            is_active: Tenure::new(),
        });
        lock(&household.person.visits).push(Arc::clone(&visit));
        visit.is_active.begins();
        self.execute(&format!(
            r#"INSERT INTO "session" ("id", "userId", "token", "expiresAt")
                VALUES ('{}', '{}', '{}', now() + interval '1 hour')"#,
            visit.id, visit.owner, visit.token
        ))
        .await;
        visit.is_active.has_begun();
        let Household {
            address, person, ..
        } = household;
        self.mint.for_visit(address, person, &visit, &mut self.dice);
        household.visits.push(visit);
        self.count("sessions begun");
    }

    async fn sign_out(&mut self, household: &mut Household) {
        let which = self.dice.index(&household.visits);
        let visit = household.visits.swap_remove(which);
        let statement = match self.dice.throw(2) {
            0 => format!(r#"DELETE FROM "session" WHERE "id" = '{}'"#, visit.id),
            _ => format!(
                r#"UPDATE "session" SET "expiresAt" = now() - interval '1 minute' WHERE "id" = '{}'"#,
                visit.id
            ),
        };
        visit.is_active.ends();
        self.execute(&statement).await;
        visit.is_active.has_ended();
        self.count("sessions ended");
    }

    /// Somebody gets a new address, and somebody else the old one.
    async fn hand_address_over(&mut self, household: &mut Household) {
        let new = self.new_address();
        let old = self.change_address(household, new).await;
        let heir = self.dice.index(&self.households);
        let mut heir = self.households.swap_remove(heir);
        self.change_address(&mut heir, old).await;
        self.households.push(heir);
        self.count("addresses handed over");
    }

    async fn change_address(&mut self, of: &mut Household, to: Arc<Address>) -> Arc<Address> {
        let has = Arc::new(Tenure::new());
        has.begins();
        of.has_address.ends();
        let owner = (Arc::clone(&of.person), Arc::clone(&has));
        to.owners().push(owner);
        self.execute(&format!(
            r#"UPDATE "user" SET "email" = '{}' WHERE "id" = '{}'"#,
            to.text, of.person.id
        ))
        .await;
        of.has_address.has_ended();
        has.has_begun();
        of.has_address = has;
        let old = std::mem::replace(&mut of.address, to);
        self.mint
            .jwts(&of.address, &of.person, None, &mut self.dice);
        old
    }

    async fn ban_or_pardon(&mut self, household: &mut Household) {
        let is_ban = household.ban.is_none();
        let statement = format!(
            r#"UPDATE "user" SET "banned" = {is_ban} WHERE "id" = '{}'"#,
            household.person.id
        );
        if let Some(ban) = household.ban.take() {
            ban.ends();
            self.execute(&statement).await;
            ban.has_ended();
            self.count("users pardoned");
        } else {
            let ban = Arc::new(Tenure::new());
            ban.begins();
            lock(&household.person.bans).push(Arc::clone(&ban));
            self.execute(&statement).await;
            ban.has_begun();
            household.ban = Some(ban);
            self.count("users banned");
        }
    }

    /// Deletes a user; somebody new signs up with the same address.
    async fn replace(&mut self, household: Household) -> Household {
        let tenures = || {
            let visits = household.visits.iter().map(|visit| &visit.is_active);
            let keys = household.keys.iter().map(|key| &key.is_usable);
            let own = [&household.person.exists, &*household.has_address];
            visits.chain(keys).chain(own)
        };
        tenures().for_each(Tenure::ends);
        let id = &household.person.id;
        self.execute(&format!(
            r#"BEGIN; DELETE FROM "apikey" WHERE "referenceId" = '{id}'; DELETE FROM "user" WHERE "id" = '{id}'; COMMIT"#
        ))
        .await;
        tenures().for_each(Tenure::has_ended);
        self.count("users replaced");
        self.new_household(household.address).await
    }

    async fn new_key(&mut self, household: &mut Household) {
        let key = Arc::new(Key {
            id: self.name("key"),
            text: self.text(),
            is_usable: Tenure::new(),
        });
        key.is_usable.begins();
        self.execute(&format!(
            r#"INSERT INTO "apikey" ("id", "configId", "referenceId", "key", "enabled", "createdAt", "updatedAt")
                VALUES ('{}', 'default', '{}', '{}', true, now(), now())"#,
            key.id,
            household.person.id,
            ApiKeyHash::from_key(&key.text).as_str()
        ))
        .await;
        key.is_usable.has_begun();
        self.mint.for_key(&household.person, &key, &mut self.dice);
        household.keys.push(key);
        self.count("API keys begun");
    }

    async fn end_key(&mut self, household: &mut Household) {
        let which = self.dice.index(&household.keys);
        let key = household.keys.swap_remove(which);
        let statement = match self.dice.throw(2) {
            0 => format!(r#"DELETE FROM "apikey" WHERE "id" = '{}'"#, key.id),
            _ => format!(
                r#"UPDATE "apikey" SET "enabled" = false WHERE "id" = '{}'"#,
                key.id
            ),
        };
        key.is_usable.ends();
        self.execute(&statement).await;
        key.is_usable.has_ended();
        self.count("API keys ended");
    }

    fn new_address(&mut self) -> Arc<Address> {
        Arc::new(Address {
            text: format!("{}@example.com", self.name("u")),
            owners: Default::default(),
        })
    }

    fn name(&mut self, kind: &str) -> String {
        format!("{kind}_{:016x}", self.dice.throw(u64::MAX))
    }

    /// Of the form that Better Auth's tokens have.
    fn text(&mut self) -> String {
        let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        let letter = |_| char::from(letters[self.dice.index(letters)]);
        (0..32).map(letter).collect()
    }

    fn count(&mut self, what: &'static str) {
        *self.made.entry(what).or_default() += 1;
    }

    async fn execute(&self, sql: &str) {
        if let Err(error) = self.client.batch_execute(sql).await {
            panic!("{}\n{sql}", describe(&error));
        }
    }
}
