//! Changes of the deployment: sign-ins, sign-outs, new emails, bans and deletions.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use better_auth_layer::api_key::ApiKeyHash;
use tokio_postgres::Client;

use super::history::{EmailHistory, Key, SessionHistory, UserHistory, lock};
use super::mint::Mint;
use super::validity::Validity;
use cluster::{Database, describe};
use support::rng::Rng;

/// A user with all rows.
struct Account {
    person: Arc<UserHistory>,
    address: Arc<EmailHistory>,
    has_address: Arc<Validity>,
    visits: Vec<Arc<SessionHistory>>,
    keys: Vec<Arc<Key>>,
    ban: Option<Arc<Validity>>,
}

/// Changes some of the users, which no other writer changes.
pub(super) struct Changes {
    mint: Arc<Mint>,
    client: Client,
    rng: Rng,
    households: Vec<Account>,
    /// The number of changes by kind.
    pub(super) made: BTreeMap<&'static str, u64>,
}

/// The maximum of sessions of a user.
const SESSIONS: usize = 4;
const KEYS: usize = 3;

impl Changes {
    /// With this number of new users.
    pub(super) async fn begin(
        database: &Database,
        mint: &Arc<Mint>,
        users: usize,
        seed: u64,
    ) -> Self {
        let mut changes = Self {
            mint: Arc::clone(mint),
            client: database.client().await,
            rng: Rng::new(seed),
            households: Vec::new(),
            made: BTreeMap::new(),
        };
        for _ in 0..users {
            let address = changes.new_address();
            let account = changes.new_household(address).await;
            changes.households.push(account);
        }
        changes
    }

    /// Makes changes until it is stopped.
    pub(super) async fn run(mut self, stop: Arc<AtomicBool>, pause: Duration) -> Self {
        while !stop.load(Ordering::SeqCst) {
            self.one().await;
            tokio::time::sleep(pause).await;
        }
        self
    }

    async fn one(&mut self) {
        let who = self.rng.index(&self.households);
        let mut account = self.households.swap_remove(who);
        match self.rng.below(20) {
            0..8 if account.visits.len() > 1 => self.sign_out(&mut account).await,
            0..11 if account.visits.len() < SESSIONS => self.sign_in(&mut account).await,
            11 | 12 => self.hand_address_over(&mut account).await,
            // Bans are short, so that most users are accepted.
            13 => self.ban_or_pardon(&mut account).await,
            14..17 if account.ban.is_some() => self.ban_or_pardon(&mut account).await,
            14 => account = self.replace(account).await,
            17 if account.keys.len() > 1 => self.end_key(&mut account).await,
            17 | 18 if account.keys.len() < KEYS => self.new_key(&mut account).await,
            _ => {
                let Account {
                    address, person, ..
                } = &account;
                self.mint.jwts(address, person, None, &mut self.rng);
            }
        }
        self.households.push(account);
    }

    async fn new_household(&mut self, address: Arc<EmailHistory>) -> Account {
        let person = Arc::new(UserHistory {
            id: self.name("usr"),
            exists: Validity::new(),
            bans: Default::default(),
            visits: Default::default(),
        });
        let has_address = Arc::new(Validity::new());
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
        let mut account = Account {
            person,
            address,
            has_address,
            visits: Vec::new(),
            keys: Vec::new(),
            ban: None,
        };
        self.sign_in(&mut account).await;
        self.new_key(&mut account).await;
        self.mint
            .jwts(&account.address, &account.person, None, &mut self.rng);
        account
    }

    async fn sign_in(&mut self, account: &mut Account) {
        let visit = Arc::new(SessionHistory {
            id: self.name("ses"),
            owner: account.person.id.clone(),
            token: self.text(),
            is_active: Validity::new(),
        });
        lock(&account.person.visits).push(Arc::clone(&visit));
        visit.is_active.begins();
        self.execute(&format!(
            r#"INSERT INTO "session" ("id", "userId", "token", "expiresAt")
                VALUES ('{}', '{}', '{}', now() + interval '1 hour')"#,
            visit.id, visit.owner, visit.token
        ))
        .await;
        visit.is_active.has_begun();
        let Account {
            address, person, ..
        } = account;
        self.mint.for_visit(address, person, &visit, &mut self.rng);
        account.visits.push(visit);
        self.count("sessions begun");
    }

    async fn sign_out(&mut self, account: &mut Account) {
        let which = self.rng.index(&account.visits);
        let visit = account.visits.swap_remove(which);
        let statement = match self.rng.below(2) {
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

    /// A user gets a new email, and another user the old one.
    async fn hand_address_over(&mut self, account: &mut Account) {
        let new = self.new_address();
        let old = self.change_address(account, new).await;
        let heir = self.rng.index(&self.households);
        let mut heir = self.households.swap_remove(heir);
        self.change_address(&mut heir, old).await;
        self.households.push(heir);
        self.count("addresses handed over");
    }

    async fn change_address(
        &mut self,
        of: &mut Account,
        to: Arc<EmailHistory>,
    ) -> Arc<EmailHistory> {
        let has = Arc::new(Validity::new());
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
        self.mint.jwts(&of.address, &of.person, None, &mut self.rng);
        old
    }

    async fn ban_or_pardon(&mut self, account: &mut Account) {
        let is_ban = account.ban.is_none();
        let statement = format!(
            r#"UPDATE "user" SET "banned" = {is_ban} WHERE "id" = '{}'"#,
            account.person.id
        );
        if let Some(ban) = account.ban.take() {
            ban.ends();
            self.execute(&statement).await;
            ban.has_ended();
            self.count("users pardoned");
        } else {
            let ban = Arc::new(Validity::new());
            ban.begins();
            lock(&account.person.bans).push(Arc::clone(&ban));
            self.execute(&statement).await;
            ban.has_begun();
            account.ban = Some(ban);
            self.count("users banned");
        }
    }

    /// Deletes a user. A new user signs up with the same email.
    async fn replace(&mut self, account: Account) -> Account {
        let tenures = || {
            let visits = account.visits.iter().map(|visit| &visit.is_active);
            let keys = account.keys.iter().map(|key| &key.is_usable);
            let own = [&account.person.exists, &*account.has_address];
            visits.chain(keys).chain(own)
        };
        tenures().for_each(Validity::ends);
        let id = &account.person.id;
        self.execute(&format!(
            r#"BEGIN; DELETE FROM "apikey" WHERE "referenceId" = '{id}'; DELETE FROM "user" WHERE "id" = '{id}'; COMMIT"#
        ))
        .await;
        tenures().for_each(Validity::has_ended);
        self.count("users replaced");
        self.new_household(account.address).await
    }

    async fn new_key(&mut self, account: &mut Account) {
        let key = Arc::new(Key {
            id: self.name("key"),
            text: self.text(),
            is_usable: Validity::new(),
        });
        key.is_usable.begins();
        self.execute(&format!(
            r#"INSERT INTO "apikey" ("id", "configId", "referenceId", "key", "enabled", "createdAt", "updatedAt")
                VALUES ('{}', 'default', '{}', '{}', true, now(), now())"#,
            key.id,
            account.person.id,
            ApiKeyHash::from_key(&key.text).as_str()
        ))
        .await;
        key.is_usable.has_begun();
        self.mint.for_key(&account.person, &key, &mut self.rng);
        account.keys.push(key);
        self.count("API keys begun");
    }

    async fn end_key(&mut self, account: &mut Account) {
        let which = self.rng.index(&account.keys);
        let key = account.keys.swap_remove(which);
        let statement = match self.rng.below(2) {
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

    fn new_address(&mut self) -> Arc<EmailHistory> {
        Arc::new(EmailHistory {
            text: format!("{}@example.com", self.name("u")),
            owners: Default::default(),
        })
    }

    fn name(&mut self, kind: &str) -> String {
        format!("{kind}_{:016x}", self.rng.below(u64::MAX))
    }

    /// A text in the format of Better Auth's tokens.
    fn text(&mut self) -> String {
        let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        let letter = |_| char::from(letters[self.rng.index(letters)]);
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
