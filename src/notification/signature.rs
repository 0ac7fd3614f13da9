//! HMAC-SHA256 (RFC 2104), by which a receiver knows that a notification is from here.

use sha2::{Digest as _, Sha256};

use crate::text::hex::hex;

/// The size of a block of SHA-256.
const BLOCK: usize = 64;

/// The value of the header: `sha256=` and the digits of the HMAC of `body`.
pub(super) fn signature(secret: &[u8], body: &[u8]) -> String {
    format!("sha256={}", hex(&hmac(secret, body)))
}

fn hmac(secret: &[u8], body: &[u8]) -> [u8; 32] {
    let mut key = [0; BLOCK];
    if secret.len() > BLOCK {
        key[..32].copy_from_slice(&Sha256::digest(secret));
    } else {
        key[..secret.len()].copy_from_slice(secret);
    }
    let inner = Sha256::new().chain_update(key.map(|byte| byte ^ 0x36)).chain_update(body).finalize();
    Sha256::new().chain_update(key.map(|byte| byte ^ 0x5c)).chain_update(inner).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231: short, longer than a block, and the example of GitHub's documentation.
    #[test]
    fn signatures_are_those_of_the_standard() {
        for (secret, body, digits) in [
            (
                b"Jefe".as_slice(),
                b"what do ya want for nothing?".as_slice(),
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                &[0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
            (
                b"It's a Secret to Everybody",
                b"Hello, World!",
                "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
            ),
        ] {
            assert_eq!(signature(secret, body), format!("sha256={digits}"));
        }
    }
}
