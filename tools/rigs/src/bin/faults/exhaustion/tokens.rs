//! A million different tokens.

use std::sync::Arc;

use support::token::{HEADER, SECRET, base64url, sign_raw};

use crate::check::Check;
use crate::options::Scale;
use crate::rig::{
    Fixture, Flood, Kind, Overload, Verdict, bearer, mail_claims, post, unauthorized,
};

const MANY: u64 = 1_000_000;
const CONNECTIONS: usize = 64;

/// Requests before the memory is measured, for one-time allocations.
const FIRST: u64 = 20_000;

/// The limit of memory growth in MiB.
const PEAK: u64 = 32;

/// Well-formed tokens for a user's email with invalid signatures.
pub(crate) async fn bad(scale: Scale) -> Check {
    let (header, claims) = (base64url(HEADER), mail_claims("user0@example.com"));
    let claims = base64url(claims);
    flood(scale, unauthorized, move |number| {
        let mut signature = [0x5a; 32];
        signature[..8].copy_from_slice(&number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes());
        post(&bearer(&format!(
            "{header}.{claims}.{}",
            base64url(signature)
        )))
    })
    .await
}

/// Validly signed tokens for unknown emails.
pub(crate) async fn unknown(scale: Scale) -> Check {
    let is_due = |status, body: &str| Kind::NoUser.judge("", status, body) == Verdict::Right;
    flood(scale, is_due, |number| {
        let claims = mail_claims(&format!("stranger{number}@example.com"));
        post(&bearer(&sign_raw(HEADER, claims, SECRET)))
    })
    .await
}

async fn flood(
    scale: Scale,
    is_due: fn(u16, &str) -> bool,
    make: impl Fn(u64) -> Vec<u8> + Send + Sync + 'static,
) -> Check {
    let fixture = Fixture::usual().await;
    let flood = Flood {
        address: fixture.server.address,
        connections: CONNECTIONS,
        make: Arc::new(make),
        is_due,
    };
    let many = scale.of(MANY);
    let first = flood.run(many..many + FIRST).await;
    let overload = Overload::begin(&fixture, |_| false).await;
    let flooded = flood.run(0..many).await;
    let violations = first
        .violations
        .into_iter()
        .chain(flooded.violations.clone());
    let counts = flooded.counts();
    overload
        .conclude(counts, flooded.took, PEAK, violations.collect())
        .await
}
