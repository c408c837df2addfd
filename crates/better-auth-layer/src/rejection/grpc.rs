//! Refusals as gRPC statuses.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, TE};
use http::{HeaderName, HeaderValue, Method, Response, Version, request};

use super::Rejection;

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");

const GRPC: &[u8] = b"application/grpc";

/// Whether a request is a gRPC call: a `POST` with the content type `application/grpc`, itself or with a `+` or `;`
/// suffix, by a client that reads trailers.
///
/// Over HTTP/2 and later every client does, before it `TE: trailers` says so, which a layer that translates gRPC-Web puts
/// in. Untranslated, `application/grpc-web` is a different protocol, whose proxies expect HTTP statuses.
pub(super) fn is_grpc(parts: &request::Parts) -> bool {
    parts.method == Method::POST
        && parts.headers.get(CONTENT_TYPE).is_some_and(|value| {
            // Media types are compared without regard to case (RFC 9110 §8.3.1).
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

/// A trailers-only answer: status 200, the gRPC status in the headers, no body (gRPC over HTTP/2, "Responses").
pub(super) fn render(rejection: &Rejection) -> Response<Bytes> {
    let kind = rejection.kind();
    let mut response = Response::new(Bytes::new());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    headers.insert(GRPC_STATUS, HeaderValue::from(u16::from(kind.grpc_code())));
    // `grpc-message` is percent-encoded; the sentences are plain ASCII without `%` and stand for themselves.
    headers.insert(GRPC_MESSAGE, HeaderValue::from_static(kind.message()));
    response
}
