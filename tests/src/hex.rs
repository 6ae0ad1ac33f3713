//! Hexadecimal, as outside vectors have it.

/// Decodes hexadecimal.
///
/// # Panics
/// When it is not hexadecimal.
#[must_use]
pub fn decode(text: &str) -> Vec<u8> {
    assert!(text.len().is_multiple_of(2), "`{text}`: an odd number of digits");
    let digits: Vec<u8> = text
        .chars()
        .map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .map(|digit| digit.expect("a hexadecimal digit"))
        .collect();
    digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}
