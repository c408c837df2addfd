//! The middleware that requires membership in an organization.

use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response, request};
use tower_service::Service;

use super::future::{Lookup, MembershipFuture};
use super::layer::Condition;
use crate::body::ResponseBody;
use crate::decide::DecideThenCall;
use crate::identity::{Identity, Member, required};
use crate::rejection::{Rejection, RejectionKind};
use crate::store::{StoreError, within};

/// The timeout for an identity that was created without a layer, in a test.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(10);

/// Middleware that forwards requests of an organization's members, with their [`Member`] in the
/// request's extensions. Made by [`MembershipLayer`](super::MembershipLayer).
///
/// The response to other users is `403`, and `503` if the lookup fails. As
/// [`BetterAuth`](crate::BetterAuth) does, it calls the instance of the inner service that
/// `poll_ready` reserved.
#[derive(Clone)]
pub struct Membership<S> {
    inner: S,
    condition: Arc<Condition>,
}

impl<S> Membership<S> {
    pub(super) fn new(inner: S, condition: Arc<Condition>) -> Self {
        Self { inner, condition }
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for Membership<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
{
    type Response = Response<ResponseBody<ResBody>>;
    type Error = S::Error;
    type Future = MembershipFuture<S, ReqBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        // The instance that was polled ready is called; its clone, which may not be ready, is kept.
        let clone = self.inner.clone();
        let ready = std::mem::replace(&mut self.inner, clone);

        let (mut parts, body) = request.into_parts();
        // Only this layer may insert a member.
        parts.extensions.remove::<Member>();
        let lookup = look_up(&self.condition, &parts);
        MembershipFuture::new(DecideThenCall::new(lookup, ready, parts, body))
    }
}

fn look_up(condition: &Arc<Condition>, parts: &request::Parts) -> Lookup {
    let identity = match required(parts) {
        Ok(identity) => identity.clone(),
        Err(rejection) => return Lookup(Box::pin(std::future::ready(Err(rejection)))),
    };
    let organization = condition.organization(parts, &identity);
    let condition = Arc::clone(condition);
    Lookup(Box::pin(async move {
        let user_id = identity.user().id();
        let member = match &organization {
            None => None,
            Some(id) => {
                let store = Arc::clone(&condition.store);
                run(&identity, move || store.member(user_id, id)).await?
            }
        };
        match member {
            Some(member) if condition.allows(&member) => Ok(member),
            member => {
                tracing::info!(
                    outcome = RejectionKind::PermissionDenied.as_str(),
                    user_id,
                    organization_id = ?organization.as_deref().map(|id| id.chars().take(64).collect::<String>()),
                    is_member = member.is_some(),
                    "request rejected"
                );
                Err(Rejection::new(RejectionKind::PermissionDenied))
            }
        }
    }))
}

/// Runs a lookup with the timeout and the `Retry-After` of the authenticating layer.
async fn run<T, F>(identity: &Identity, start: impl FnOnce() -> F) -> Result<T, Rejection>
where
    F: Future<Output = Result<T, StoreError>> + Unpin,
{
    let layer = identity.layer();
    let timeout = layer.map_or(LOOKUP_TIMEOUT, |layer| layer.lookup_timeout());
    within(timeout, start).await.map_err(|error| {
        let retry_after = layer.map(|layer| layer.retry_after().clone());
        error.reject(&retry_after.unwrap_or_default())
    })
}

impl<S: fmt::Debug> fmt::Debug for Membership<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Membership")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}
