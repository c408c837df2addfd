//! Explanations for differences from the vectors.

use crate::vector::Vector;
use crate::verdict::Verdict;

/// The reason why a result is right although the vector differs.
pub(crate) fn explain(vector: &Vector, verdict: &Verdict) -> Option<&'static str> {
    let reason = match verdict {
        Verdict::Refused(reason) => reason.as_str(),
        Verdict::Accepted | Verdict::NotApplicable(_) => "",
    };
    match (vector.group.as_str(), vector.comment.as_str(), reason) {
        (_, _, "algorithm_not_accepted") => {
            Some("a valid signature by an algorithm that Better Auth never uses")
        }
        (_, "emptyPayload", "not_a_compact_jws") => {
            Some("an empty payload is no claims set; the token is malformed")
        }
        ("rfc7520" | "rfc7520WithKeyOps", _, "kid_unknown") => Some(
            "the key's alg is ES521, which is no algorithm's name (RFC 7518 §3.1 says ES512); the key is left out",
        ),
        (
            "jws_keyset" | "HS256" | "HS384" | "HS512",
            "acceptsValid" | "long_key",
            "key_source_missing" | "secret_missing",
        ) => Some("a symmetric key in a key set is ignored"),
        ("base64", "InvalidCharacterInsertedInHeader" | "InvalidCharacterInsertedInPayload", _) => {
            Some(
                "the vector wants a character outside the alphabet to be skipped; RFC 7515 §2 allows no such character",
            )
        }
        ("base64", "invalidBase64Padding" | "invalidBase64PaddingInPayload", _) => Some(
            "the vector's text has no padding in it: it is the text of the valid vector #357, letter for letter",
        ),
        ("jws_rsa_roca_key", "rejectsKeyWithRocaVulnerability", "") => Some(
            "the layer trusts the keys that the issuer publishes; Better Auth does not generate ROCA keys",
        ),
        _ => None,
    }
}
