//! All threads, in memory, by user.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use http::StatusCode;

use crate::response::ErrorResponse;
use crate::{
    item::{Item, UserMessageInput},
    page::{Order, Page, Paging},
    thread::{Thread, ThreadMetadata},
};

// Limits on memory, together 256 MiB of JSON. A new thread evicts the user's oldest thread; a new
// user evicts the least recently active user.
pub(crate) const MAX_USERS: usize = 100;
pub(crate) const MAX_THREADS_PER_USER: usize = 20;
pub(crate) const MAX_ITEMS_PER_THREAD: usize = 200;
pub(crate) const MAX_BYTES_PER_THREAD: usize = 128 * 1024;
pub(crate) const MAX_TITLE_BYTES: usize = 1024;

/// Bytes that each message reserves for its reply. Replies are far shorter.
const REPLY_BYTES: usize = 4 * 1024;

/// Threads by user. Every method takes a user id and only accesses the threads of that user.
#[derive(Clone, Debug, Default)]
pub(crate) struct ThreadStore {
    users: Arc<Mutex<Users>>,
}

#[derive(Debug, Default)]
struct Users {
    by_id: HashMap<String, UserThreads>,
    /// The number of accesses so far, which orders users by their last access.
    accesses: u64,
}

#[derive(Debug, Default)]
struct UserThreads {
    /// From the oldest to the newest.
    threads: Vec<StoredThread>,
    last_access: u64,
}

#[derive(Debug)]
struct StoredThread {
    metadata: ThreadMetadata,
    /// From the oldest to the newest.
    items: Vec<Item>,
}

impl ThreadStore {
    /// Creates a thread with a first message.
    pub(crate) fn create(
        &self,
        user_id: &str,
        input: UserMessageInput,
    ) -> Result<(Thread, Item), ErrorResponse> {
        let mut thread = StoredThread {
            metadata: ThreadMetadata::new()?,
            items: Vec::new(),
        };
        let message = thread.add_user_message(input)?;
        let shown = thread.without_items();
        let mut users = self.lock();
        let threads = users.threads_or_create(user_id);
        if threads.len() >= MAX_THREADS_PER_USER {
            threads.remove(0);
        }
        threads.push(thread);
        Ok((shown, message))
    }

    /// Adds a message to a thread.
    pub(crate) fn add_user_message(
        &self,
        user_id: &str,
        thread_id: &str,
        input: UserMessageInput,
    ) -> Result<Item, ErrorResponse> {
        self.lock()
            .thread(user_id, thread_id)?
            .add_user_message(input)
    }

    /// Removes all items after a message of the user and returns the message.
    pub(crate) fn rewind(
        &self,
        user_id: &str,
        thread_id: &str,
        item_id: &str,
    ) -> Result<Item, ErrorResponse> {
        let mut users = self.lock();
        let items = &mut users.thread(user_id, thread_id)?.items;
        let (position, message) = items
            .iter()
            .enumerate()
            .find(|(_, item)| item.id() == item_id)
            .ok_or_else(|| {
                ErrorResponse::new(
                    StatusCode::NOT_FOUND,
                    "This thread has no item with this `item_id`",
                )
            })?;
        if !message.is_user_message() {
            return Err(ErrorResponse::new(
                StatusCode::BAD_REQUEST,
                "`item_id` is a message of the assistant; \
                 only a message of the user can be retried",
            ));
        }
        let message = message.clone();
        items.truncate(position + 1);
        Ok(message)
    }

    /// Adds a reply of the assistant. The reply is dropped if the thread was deleted.
    pub(crate) fn add_reply(&self, user_id: &str, thread_id: &str, reply: Item) {
        let mut users = self.lock();
        let added = users.thread(user_id, thread_id).and_then(|thread| {
            thread.check_capacity(1, size(&reply))?;
            thread.items.push(reply);
            Ok(())
        });
        if let Err(error) = added {
            tracing::debug!(?error, "reply not stored");
        }
    }

    /// A thread with its first items.
    pub(crate) fn get(&self, user_id: &str, thread_id: &str) -> Result<Thread, ErrorResponse> {
        let oldest_first = Paging {
            order: Order::Asc,
            ..Paging::default()
        };
        let mut users = self.lock();
        let thread = users.thread(user_id, thread_id)?;
        let items = thread.page(&oldest_first)?;
        Ok(Thread::new(thread.metadata.clone(), items))
    }

    pub(crate) fn list(
        &self,
        user_id: &str,
        paging: &Paging,
    ) -> Result<Page<Thread>, ErrorResponse> {
        let mut users = self.lock();
        let threads = users.threads(user_id).map_or(&[][..], |threads| threads);
        let page = Page::select(threads, paging, |thread| &thread.metadata.id)?;
        Ok(page.map(StoredThread::without_items))
    }

    pub(crate) fn items(
        &self,
        user_id: &str,
        thread_id: &str,
        paging: &Paging,
    ) -> Result<Page<Item>, ErrorResponse> {
        self.lock().thread(user_id, thread_id)?.page(paging)
    }

    pub(crate) fn rename(
        &self,
        user_id: &str,
        thread_id: &str,
        title: String,
    ) -> Result<Thread, ErrorResponse> {
        if title.len() > MAX_TITLE_BYTES {
            return Err(ErrorResponse::new(
                StatusCode::BAD_REQUEST,
                format!("`title` is longer than {MAX_TITLE_BYTES} bytes"),
            ));
        }
        let mut users = self.lock();
        let thread = users.thread(user_id, thread_id)?;
        thread.metadata.title = Some(title);
        Ok(thread.without_items())
    }

    pub(crate) fn delete(&self, user_id: &str, thread_id: &str) -> Result<(), ErrorResponse> {
        let mut users = self.lock();
        users.thread(user_id, thread_id)?;
        if let Some(threads) = users.threads(user_id) {
            threads.retain(|thread| thread.metadata.id != thread_id);
        }
        Ok(())
    }

    /// Fails unless the user has this thread.
    pub(crate) fn check(&self, user_id: &str, thread_id: &str) -> Result<(), ErrorResponse> {
        self.lock().thread(user_id, thread_id).map(drop)
    }

    // Every change is complete before it can panic, so a poisoned lock holds valid data.
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

    fn threads_or_create(&mut self, user_id: &str) -> &mut Vec<StoredThread> {
        if !self.by_id.contains_key(user_id) && self.by_id.len() >= MAX_USERS {
            let least_recent = self.by_id.iter().min_by_key(|(_, user)| user.last_access);
            if let Some(least_recent) = least_recent.map(|(id, _)| id.clone()) {
                self.by_id.remove(&least_recent);
            }
        }
        self.accesses += 1;
        let user = self.by_id.entry(user_id.to_owned()).or_default();
        user.last_access = self.accesses;
        &mut user.threads
    }

    // Threads of other users and unknown threads get the same error.
    fn thread(
        &mut self,
        user_id: &str,
        thread_id: &str,
    ) -> Result<&mut StoredThread, ErrorResponse> {
        self.threads(user_id)
            .and_then(|threads| {
                threads
                    .iter_mut()
                    .find(|thread| thread.metadata.id == thread_id)
            })
            .ok_or_else(|| {
                ErrorResponse::new(
                    StatusCode::NOT_FOUND,
                    "You have no thread with this `thread_id`; threads.list returns your threads",
                )
            })
    }
}

impl StoredThread {
    fn add_user_message(&mut self, input: UserMessageInput) -> Result<Item, ErrorResponse> {
        let message = Item::user_message(&self.metadata.id, input)?;
        self.check_capacity(2, size(&message).saturating_add(REPLY_BYTES))?;
        self.items.push(message.clone());
        Ok(message)
    }

    fn check_capacity(&self, items: usize, bytes: usize) -> Result<(), ErrorResponse> {
        if self.items.len() + items > MAX_ITEMS_PER_THREAD {
            return Err(ErrorResponse::new(
                StatusCode::CONFLICT,
                format!(
                    "This thread is full ({MAX_ITEMS_PER_THREAD} items); \
                     start another thread with threads.create"
                ),
            ));
        }
        let used: usize = self.items.iter().map(size).sum();
        if used.saturating_add(bytes) > MAX_BYTES_PER_THREAD {
            return Err(ErrorResponse::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!(
                    "The message exceeds the thread's limit of {MAX_BYTES_PER_THREAD} bytes; \
                     shorten it, or start another thread with threads.create"
                ),
            ));
        }
        Ok(())
    }

    fn page(&self, paging: &Paging) -> Result<Page<Item>, ErrorResponse> {
        Ok(Page::select(&self.items, paging, Item::id)?.map(Item::clone))
    }

    fn without_items(&self) -> Thread {
        Thread::new(self.metadata.clone(), Page::empty())
    }
}

/// The size of an item as JSON, in bytes.
fn size(item: &Item) -> usize {
    serde_json::to_vec(item).map_or(usize::MAX, |json| json.len())
}
