//! Conversions between the number kinds, as CEL rounds them. The one place where `as` is used.

/// The nearest double.
#[expect(clippy::as_conversions, reason = "rounds to the nearest double, which is what CEL does")]
pub(super) const fn double_of_int(value: i64) -> f64 {
    value as f64
}

/// The nearest double.
#[expect(clippy::as_conversions, reason = "rounds to the nearest double, which is what CEL does")]
pub(super) const fn double_of_uint(value: u64) -> f64 {
    value as f64
}

/// Towards zero, the nearest bound where it does not fit, zero for NaN.
#[expect(clippy::as_conversions, reason = "saturates, and callers rely on it")]
pub(super) const fn int_of_double(value: f64) -> i64 {
    value as i64
}

/// Towards zero, the nearest bound where it does not fit, zero for NaN.
#[expect(clippy::as_conversions, reason = "saturates, and callers rely on it")]
pub(super) const fn uint_of_double(value: f64) -> u64 {
    value as u64
}

/// 2 to the 63rd: the first double that is no `int`.
pub(super) const INT_END: f64 = 9_223_372_036_854_775_808.0;

/// 2 to the 64th: the first double that is no `uint`.
pub(super) const UINT_END: f64 = 18_446_744_073_709_551_616.0;
