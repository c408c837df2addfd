//! What a request brings to prove who sent it.

mod bearer_token;
mod invalid_reason;

use http::HeaderMap;

pub(crate) use self::bearer_token::BearerToken;
pub(crate) use self::invalid_reason::InvalidReason;

/// The one credential of a request.
#[derive(Debug)]
pub(crate) enum Credential<'a> {
    /// `Authorization: Bearer …`
    Bearer(BearerToken<'a>),
}

/// Finds the credential in a request's headers. `Ok(None)`: there is none that would be ours.
///
/// Nothing is decoded here; a credential that cannot be one by its outer form is an error, not an absence, so that it
/// can never be taken for an anonymous request.
pub(crate) fn extract(headers: &HeaderMap) -> Result<Option<Credential<'_>>, InvalidReason> {
    Ok(BearerToken::extract(headers)?.map(Credential::Bearer))
}
