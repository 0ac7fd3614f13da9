//! Characters that are invisible or control a terminal.

/// What GitHub's runner takes for a command anywhere in a line.
pub(crate) const RUNNER_COMMAND: &str = "##[";

/// First and last code point of each range that must not occur in text from outside, in order:
///
/// - controls, formats, line and paragraph separators, private use: the general categories Cc, Cf,
///   Zl, Zp and Co of Unicode's `UnicodeData.txt`,
/// - `Default_Ignorable_Code_Point` of `DerivedCoreProperties.txt`: what a font draws as nothing,
/// - noncharacters (section 23.7 of the Unicode standard),
/// - letters and symbols without a shape: the fillers of Hangul and Khitan, the blanks of Braille, of
///   hieroglyphs and of musical notation.
///
/// Other unassigned code points are drawn as a box and so are seen.
pub(crate) const STEERING: [(u32, u32); 47] = [
    (0x0000, 0x001f),
    (0x007f, 0x009f),
    (0x00ad, 0x00ad),
    (0x034f, 0x034f),
    (0x0600, 0x0605),
    (0x061c, 0x061c),
    (0x06dd, 0x06dd),
    (0x070f, 0x070f),
    (0x0890, 0x0891),
    (0x08e2, 0x08e2),
    (0x115f, 0x1160),
    (0x17b4, 0x17b5),
    (0x180b, 0x180f),
    (0x200b, 0x200f),
    (0x2028, 0x202e),
    (0x2060, 0x206f),
    (0x2800, 0x2800),
    (0x3164, 0x3164),
    (0xe000, 0xf8ff),
    (0xfdd0, 0xfdef),
    (0xfe00, 0xfe0f),
    (0xfeff, 0xfeff),
    (0xffa0, 0xffa0),
    (0xfff0, 0xfffb),
    (0xfffe, 0xffff),
    (0x110bd, 0x110bd),
    (0x110cd, 0x110cd),
    (0x13430, 0x1343f),
    (0x13441, 0x13442),
    (0x16fe4, 0x16fe4),
    (0x1bca0, 0x1bca3),
    (0x1d159, 0x1d159),
    (0x1d173, 0x1d17a),
    (0x1fffe, 0x1ffff),
    (0x2fffe, 0x2ffff),
    (0x3fffe, 0x3ffff),
    (0x4fffe, 0x4ffff),
    (0x5fffe, 0x5ffff),
    (0x6fffe, 0x6ffff),
    (0x7fffe, 0x7ffff),
    (0x8fffe, 0x8ffff),
    (0x9fffe, 0x9ffff),
    (0xafffe, 0xaffff),
    (0xbfffe, 0xbffff),
    (0xcfffe, 0xcffff),
    (0xdfffe, 0xe0fff),
    (0xefffe, 0x10ffff),
];

/// Whether a character controls a terminal, reorders text (Unicode TR36, "bidirectional text spoofing")
/// or is invisible.
pub fn is_steering(c: char) -> bool {
    if matches!(c, ' '..='~') {
        return false;
    }
    let c = u32::from(c);
    let after = STEERING.partition_point(|(first, _)| *first <= c);
    after.checked_sub(1).is_some_and(|at| c <= STEERING[at].1)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_ranges_are_those_of_the_published_tables() {
        // `regex` carries Unicode's tables under their own names.
        let published = regex::Regex::new(
            r"^[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Default_Ignorable_Code_Point}\p{Noncharacter_Code_Point}]$",
        )
        .unwrap();
        let blank = "\u{2800}\u{13441}\u{13442}\u{16fe4}\u{1d159}";
        for c in '\0'..=char::MAX {
            let wanted = published.is_match(c.encode_utf8(&mut [0; 4])) || blank.contains(c);
            assert_eq!(is_steering(c), wanted, "U+{:04X}", u32::from(c));
        }
    }

    #[test]
    fn the_ranges_are_in_order() {
        assert!(STEERING.is_sorted_by(|one, next| one.0 <= one.1 && one.1 < next.0));
    }
}
