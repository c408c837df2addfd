//! gRPC requests and their rejections.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, TE};
use http::{HeaderName, HeaderValue, Method, Response, Version, request};

use super::Rejection;

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

const GRPC: &[u8] = b"application/grpc";

/// Whether a request is a gRPC call: a `POST` with the content type `application/grpc`, optionally
/// with a `+` or `;` suffix, from a client that reads trailers.
///
/// HTTP/2 clients always read trailers. HTTP/1.1 requests must have `TE: trailers`, which layers
/// that translate gRPC-Web add. Untranslated `application/grpc-web` is a different protocol, whose
/// proxies expect HTTP statuses.
pub(super) fn is_grpc(parts: &request::Parts) -> bool {
    parts.method == Method::POST
        && parts.headers.get(CONTENT_TYPE).is_some_and(|value| {
            // Media types are case-insensitive (RFC 9110 §8.3.1).
            let (kind, rest) = value
                .as_bytes()
                .split_at_checked(GRPC.len())
                .unwrap_or_default();
            kind.eq_ignore_ascii_case(GRPC) && matches!(rest, [] | [b'+' | b';', ..])
        })
        && (parts.version >= Version::HTTP_2
            || parts
                .headers
                .get(TE)
                .is_some_and(|te| te.as_bytes().eq_ignore_ascii_case(b"trailers")))
}

/// A trailers-only response: status 200, gRPC status in the headers, no body (gRPC over HTTP/2,
/// section "Responses").
pub(super) fn render(rejection: &Rejection) -> Response<Bytes> {
    let kind = rejection.kind();
    let mut response = Response::new(Bytes::new());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert(GRPC_STATUS, HeaderValue::from(u16::from(kind.grpc_code())));
    // `grpc-message` is percent-encoded. The messages are ASCII without `%`, so their encoding is
    // the text itself.
    headers.insert(GRPC_MESSAGE, HeaderValue::from_static(kind.message()));
    response
}
