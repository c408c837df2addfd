//! Settings for bearer JWTs.

use std::sync::Arc;

use super::BetterAuthLayerBuilder;
use crate::jwks::{JwksOptions, KeySource, RemoteKeySource};

impl BetterAuthLayerBuilder {
    /// Requires the claim `iss` of secret-signed JWTs to be exactly this text (`BETTER_AUTH_ISSUER`). Without it any
    /// issuer or none is accepted, and building the layer logs a warning: the secret alone then separates this
    /// deployment's tokens from all others.
    ///
    /// Where there is no [`base_url`](Self::base_url), it is the issuer of JWTs that are signed with a public key, too.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = Some(issuer.into());
        self
    }

    /// Requires the claim `iss` of JWTs that are signed with a public key to be exactly this text. Needed only where
    /// Better Auth's option `jwt.issuer` is set; the default is the origin of [`base_url`](Self::base_url).
    pub fn jwks_issuer(mut self, issuer: impl Into<String>) -> Self {
        self.jwks_issuer = Some(issuer.into());
        self
    }

    /// Adds a value of `aud` that means this service (`BETTER_AUTH_AUDIENCE`). Without any it is the issuer; for JWTs
    /// that are signed with a public key, the origin of [`base_url`](Self::base_url).
    ///
    /// A token that names audiences must name one of these (RFC 7519 §4.1.3). One that is signed with a public key must
    /// name some: tokens of the same keys and issuer serve other purposes. A secret-signed one that names none is
    /// accepted unless [`require_audience`](Self::require_audience) is set.
    ///
    /// ```
    /// use better_auth_layer::BetterAuthLayer;
    ///
    /// // jwt({ jwt: { audience: "https://api.example.com" } })
    /// let builder = BetterAuthLayer::builder()
    ///     .base_url("https://app.example.com")
    ///     .audience("https://api.example.com");
    /// # let _ = builder;
    /// ```
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// Takes the public keys from an address, in place of the one that follows from [`base_url`](Self::base_url).
    pub fn jwks_url(mut self, url: impl AsRef<str>) -> Self {
        let source = RemoteKeySource::new(url.as_ref());
        self.key_source = Some(source.map(|source| Arc::new(source) as Arc<_>));
        self
    }

    /// Takes the public keys from a source: a [`KeySet`](crate::jwks::KeySet) that never changes, the `jwks` table of the
    /// database (`PostgresStore::key_source`, `SqliteStore::key_source`), a [`RemoteKeySource`] with an authority of its
    /// own.
    ///
    /// ```
    /// use better_auth_layer::BetterAuthLayer;
    /// use better_auth_layer::jwks::{KeySet, KeySourceError};
    ///
    /// fn with_keys_of_the_image(jwks_json: &str) -> Result<(), KeySourceError> {
    ///     let keys: KeySet = jwks_json.parse()?;
    ///     let builder = BetterAuthLayer::builder().base_url("https://app.example.com").key_source(keys);
    ///     # let _ = builder;
    ///     Ok(())
    /// }
    /// ```
    pub fn key_source(mut self, source: impl KeySource) -> Self {
        self.key_source = Some(Ok(Arc::new(source)));
        self
    }

    /// Sets how long public keys are kept.
    pub fn jwks_options(mut self, options: JwksOptions) -> Self {
        self.jwks_options = options;
        self
    }

    /// Sets how many JWTs are remembered that were verified, so that a token that comes again costs a hash and no
    /// signature. Default: 10,000; one takes about 300 bytes and its claims, and one with more than a kibibyte of claims
    /// counts as several. Zero remembers none.
    ///
    /// It changes no verdict: a token that has expired, or whose key is not in the key set any more, is refused as ever.
    /// It says nothing about users and sessions either; those are [looked up](Self::store) every time.
    ///
    /// ```
    /// use better_auth_layer::BetterAuthLayer;
    ///
    /// // For a device with little memory.
    /// let builder = BetterAuthLayer::builder().jwt_cache_capacity(100);
    /// # let _ = builder;
    /// ```
    pub fn jwt_cache_capacity(mut self, max_entries: usize) -> Self {
        self.cached_jwts = max_entries;
        self
    }

    /// Does not accept JWTs that are signed with the secret. For deployments that mint none: what cannot be presented
    /// cannot be forged.
    pub fn without_secret_jwts(mut self) -> Self {
        self.accept_secret_jwts = false;
        self
    }

    /// Refuses secret-signed JWTs without `aud`.
    pub fn require_audience(mut self) -> Self {
        self.require_audience = true;
        self
    }

    /// Refuses secret-signed JWTs whose `sub` is not the id of the user with the token's e-mail address, or that have none.
    ///
    /// Off by default, as the address alone is the contract; a mismatch is then logged. With it, an address that has
    /// passed to another account does not carry over.
    pub fn require_matching_subject(mut self) -> Self {
        self.require_matching_subject = true;
        self
    }

    /// Sets the claim that names the one session a token is for. Default: `sid`.
    ///
    /// A token with the claim gets exactly that session or none. A token without it gets the user's
    /// [preferred](crate::Session::preferred) one.
    ///
    /// ```
    /// use better_auth_layer::BetterAuthLayer;
    ///
    /// // jwt({ jwt: { definePayload: ({ session }) => ({ session_id: session.id }) } })
    /// let builder = BetterAuthLayer::builder().session_id_claim("session_id");
    /// # let _ = builder;
    /// ```
    pub fn session_id_claim(mut self, claim: impl Into<String>) -> Self {
        self.session_id_claim = claim.into();
        self
    }

    /// Accepts secret-signed JWTs that nothing tells from Better Auth's own e-mail verification tokens: those with neither a
    /// header `typ` nor a claim `sub`, `iss` or `aud`.
    ///
    /// Every mail link that Better Auth ever sent is then a way to sign in as its addressee, for whoever sees it.
    pub fn dangerous_accept_unbound_tokens(mut self) -> Self {
        self.require_binding = false;
        self
    }
}
