//! The threads of all users, in memory.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use http::StatusCode;

use super::{
    item::{Item, UserMessageInput},
    page::{Order, Page, Paging},
    thread::{Thread, ThreadMetadata},
};
use crate::refusal::Refusal;

// Memory has an end, and every user may write. Together these allow 256 MiB of JSON. People who
// come back find their latest threads; a user too many costs the one who was away the longest.
pub(super) const MAX_USERS: usize = 100;
pub(super) const MAX_THREADS_PER_USER: usize = 20;
pub(super) const MAX_ITEMS_PER_THREAD: usize = 200;
pub(super) const MAX_BYTES_PER_THREAD: usize = 128 * 1024;
pub(super) const MAX_TITLE_BYTES: usize = 1024;

/// Room that a message leaves for its reply; the responder stays far below.
const REPLY_BYTES: usize = 4 * 1024;

/// Threads by user. Every method takes the user first, and sees no thread of another one.
#[derive(Clone)]
pub(super) struct ThreadStore {
    users: Arc<Mutex<Users>>,
}

#[derive(Default)]
struct Users {
    by_id: HashMap<String, UserThreads>,
    /// Counts the accesses; orders users by their last one.
    accesses: u64,
}

#[derive(Default)]
struct UserThreads {
    /// From the oldest to the newest.
    threads: Vec<StoredThread>,
    last_access: u64,
}

struct StoredThread {
    metadata: ThreadMetadata,
    /// From the oldest to the newest.
    items: Vec<Item>,
}

impl ThreadStore {
    pub(super) fn new() -> Self {
        Self {
            users: Arc::default(),
        }
    }

    /// Starts a thread with a message.
    pub(super) fn create(
        &self,
        user_id: &str,
        input: UserMessageInput,
    ) -> Result<(Thread, Item), Refusal> {
        let mut thread = StoredThread {
            metadata: ThreadMetadata::new()?,
            items: Vec::new(),
        };
        let message = thread.add_user_message(input)?;
        let shown = thread.without_items();
        let mut users = self.lock();
        let threads = users.threads_of_new_or_known(user_id);
        if threads.len() >= MAX_THREADS_PER_USER {
            threads.remove(0);
        }
        threads.push(thread);
        Ok((shown, message))
    }

    /// Adds a message to a thread.
    pub(super) fn add_user_message(
        &self,
        user_id: &str,
        thread_id: &str,
        input: UserMessageInput,
    ) -> Result<Item, Refusal> {
        self.lock()
            .thread(user_id, thread_id)?
            .add_user_message(input)
    }

    /// Removes what follows a message of the user, and returns the message.
    pub(super) fn rewind(
        &self,
        user_id: &str,
        thread_id: &str,
        item_id: &str,
    ) -> Result<Item, Refusal> {
        let mut users = self.lock();
        let items = &mut users.thread(user_id, thread_id)?.items;
        let (position, message) = items
            .iter()
            .enumerate()
            .find(|(_, item)| item.id() == item_id)
            .ok_or_else(|| {
                Refusal::new(
                    StatusCode::NOT_FOUND,
                    "This thread has no item with this `item_id`",
                )
            })?;
        if !message.is_user_message() {
            return Err(Refusal::new(
                StatusCode::BAD_REQUEST,
                "`item_id` is a message of the assistant; \
                 only a message of the user can be tried again",
            ));
        }
        let message = message.clone();
        items.truncate(position + 1);
        Ok(message)
    }

    /// Adds what the assistant said, unless the thread is gone by now.
    pub(super) fn add_reply(&self, user_id: &str, thread_id: &str, reply: Item) {
        let mut users = self.lock();
        let added = users.thread(user_id, thread_id).and_then(|thread| {
            thread.make_sure_of_room(1, size(&reply))?;
            thread.items.push(reply);
            Ok(())
        });
        if let Err(refusal) = added {
            tracing::debug!(?refusal, "a reply was not kept");
        }
    }

    /// A thread with its first items.
    pub(super) fn get(&self, user_id: &str, thread_id: &str) -> Result<Thread, Refusal> {
        let oldest_first = Paging {
            order: Order::Asc,
            ..Paging::default()
        };
        let mut users = self.lock();
        let thread = users.thread(user_id, thread_id)?;
        let items = thread.page(&oldest_first)?;
        Ok(Thread::new(thread.metadata.clone(), items))
    }

    pub(super) fn list(&self, user_id: &str, paging: &Paging) -> Result<Page<Thread>, Refusal> {
        let mut users = self.lock();
        let threads = users.threads(user_id).map_or(&[][..], |threads| threads);
        let page = Page::select(threads, paging, |thread| &thread.metadata.id)?;
        Ok(page.map(StoredThread::without_items))
    }

    pub(super) fn items(
        &self,
        user_id: &str,
        thread_id: &str,
        paging: &Paging,
    ) -> Result<Page<Item>, Refusal> {
        self.lock().thread(user_id, thread_id)?.page(paging)
    }

    pub(super) fn rename(
        &self,
        user_id: &str,
        thread_id: &str,
        title: String,
    ) -> Result<Thread, Refusal> {
        if title.len() > MAX_TITLE_BYTES {
            return Err(Refusal::new(
                StatusCode::BAD_REQUEST,
                format!("`title` is longer than {MAX_TITLE_BYTES} bytes"),
            ));
        }
        let mut users = self.lock();
        let thread = users.thread(user_id, thread_id)?;
        thread.metadata.title = Some(title);
        Ok(thread.without_items())
    }

    pub(super) fn delete(&self, user_id: &str, thread_id: &str) -> Result<(), Refusal> {
        let mut users = self.lock();
        users.thread(user_id, thread_id)?;
        if let Some(threads) = users.threads(user_id) {
            threads.retain(|thread| thread.metadata.id != thread_id);
        }
        Ok(())
    }

    /// Refuses a thread that the user does not have.
    pub(super) fn check(&self, user_id: &str, thread_id: &str) -> Result<(), Refusal> {
        self.lock().thread(user_id, thread_id).map(drop)
    }

    // No method stops half way through a change, so what a panic left behind is whole.
    fn lock(&self) -> MutexGuard<'_, Users> {
        self.users.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Users {
    fn threads(&mut self, user_id: &str) -> Option<&mut Vec<StoredThread>> {
        self.accesses += 1;
        let user = self.by_id.get_mut(user_id)?;
        user.last_access = self.accesses;
        Some(&mut user.threads)
    }

    fn threads_of_new_or_known(&mut self, user_id: &str) -> &mut Vec<StoredThread> {
        if !self.by_id.contains_key(user_id) && self.by_id.len() >= MAX_USERS {
            let away_longest = self.by_id.iter().min_by_key(|(_, user)| user.last_access);
            if let Some(away_longest) = away_longest.map(|(id, _)| id.clone()) {
                self.by_id.remove(&away_longest);
            }
        }
        self.accesses += 1;
        let user = self.by_id.entry(user_id.to_owned()).or_default();
        user.last_access = self.accesses;
        &mut user.threads
    }

    // A thread of somebody else is answered like one that never was.
    fn thread(&mut self, user_id: &str, thread_id: &str) -> Result<&mut StoredThread, Refusal> {
        self.threads(user_id)
            .and_then(|threads| {
                threads
                    .iter_mut()
                    .find(|thread| thread.metadata.id == thread_id)
            })
            .ok_or_else(|| {
                Refusal::new(
                    StatusCode::NOT_FOUND,
                    "You have no thread with this `thread_id`; threads.list names those you have",
                )
            })
    }
}

impl StoredThread {
    fn add_user_message(&mut self, input: UserMessageInput) -> Result<Item, Refusal> {
        let message = Item::user_message(&self.metadata.id, input)?;
        self.make_sure_of_room(2, size(&message).saturating_add(REPLY_BYTES))?;
        self.items.push(message.clone());
        Ok(message)
    }

    fn make_sure_of_room(&self, items: usize, bytes: usize) -> Result<(), Refusal> {
        if self.items.len() + items > MAX_ITEMS_PER_THREAD {
            return Err(Refusal::new(
                StatusCode::CONFLICT,
                format!(
                    "This thread is full ({MAX_ITEMS_PER_THREAD} items); \
                     start another one with threads.create"
                ),
            ));
        }
        let used: usize = self.items.iter().map(size).sum();
        if used.saturating_add(bytes) > MAX_BYTES_PER_THREAD {
            return Err(Refusal::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!(
                    "This thread has no room for the message (it holds {MAX_BYTES_PER_THREAD} bytes); \
                     write less, or start another one with threads.create"
                ),
            ));
        }
        Ok(())
    }

    fn page(&self, paging: &Paging) -> Result<Page<Item>, Refusal> {
        Ok(Page::select(&self.items, paging, Item::id)?.map(Item::clone))
    }

    fn without_items(&self) -> Thread {
        Thread::new(self.metadata.clone(), Page::empty())
    }
}

/// Bytes of the item as JSON.
fn size(item: &Item) -> usize {
    serde_json::to_vec(item).map_or(usize::MAX, |json| json.len())
}
