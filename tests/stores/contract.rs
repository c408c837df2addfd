//! The whole contract, against every store.

use support::{store_conformance, world};

store_conformance! {
    memory => world::memory();
    sqlite => world::sqlite();
    postgres => world::postgres().await;
}
