//! The conformance suite for every store.

use support::prelude::*;
use support::store_conformance;

store_conformance! {
    memory => fixtures::memory();
    sqlite => fixtures::sqlite();
    postgres => fixtures::postgres().await;
}
