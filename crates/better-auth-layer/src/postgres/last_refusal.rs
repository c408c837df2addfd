//! Why there is no connection.

use std::sync::{Arc, Mutex, PoisonError};

use super::failure::PostgresError;
use crate::store::{StoreError, StoreErrorKind};

/// With what the last attempt to connect failed, as long as none succeeded. A lookup that ends at its deadline says so.
#[derive(Default)]
pub(super) struct LastRefusal(Mutex<Option<Arc<PostgresError>>>);

impl LastRefusal {
    pub(super) fn is(&self, error: PostgresError) {
        self.set(Some(Arc::new(error)));
    }

    pub(super) fn forget(&self) {
        self.set(None);
    }

    pub(super) fn timeout(&self) -> StoreError {
        let refusal = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &*refusal {
            Some(cause) => StoreError::new(StoreErrorKind::Timeout, Arc::clone(cause)),
            None => StoreError::timeout(),
        }
    }

    fn set(&self, refusal: Option<Arc<PostgresError>>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = refusal;
    }
}
