//! Many rows in one statement, where each statement is a trip to a server and back.

use super::{Transaction, Value};
use crate::error::RegistryError;

/// Numbers of rows that a statement has. Few, so that few statements are prepared.
const SIZES: [usize; 3] = [64, 8, 1];

/// The items in pieces, in their order, each of a size of which there are few and none above `most`.
pub(crate) fn pieces<T>(items: &[T], most: usize) -> impl Iterator<Item = &[T]> {
    let mut rest = items;
    std::iter::from_fn(move || {
        let size = SIZES.into_iter().find(|size| *size <= rest.len() && *size <= most)?;
        let (piece, after) = rest.split_at_checked(size)?;
        rest = after;
        Some(piece)
    })
}

/// Inserts a row for each item into `table (columns)`.
pub(crate) fn insert<T, const COLUMNS: usize>(
    transaction: &mut dyn Transaction,
    table: &str,
    items: &[T],
    row: impl Fn(&T) -> Result<[Value; COLUMNS], RegistryError>,
) -> Result<(), RegistryError> {
    for piece in pieces(items, transaction.rows_at_once()) {
        let written = piece.iter().map(&row).collect::<Result<Vec<_>, _>>()?;
        let values: Vec<Value> = written.into_iter().flatten().collect();
        let rows = rows(piece.len(), COLUMNS);
        transaction.execute(&format!("insert into {table} values {rows}"), &values)?;
    }
    Ok(())
}

/// `$1, $2, …`: so many, after those that there are.
pub(crate) fn places(number: usize, before: usize) -> String {
    let place = |place: usize| format!("${}", before.saturating_add(place));
    (1..=number).map(place).collect::<Vec<_>>().join(", ")
}

/// `($1, $2), ($3, $4)`: so many rows of so many columns.
pub(crate) fn rows(rows: usize, columns: usize) -> String {
    let row = |row: usize| format!("({})", places(columns, row.saturating_mul(columns)));
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_all_of_it_in_its_order() {
        let sizes =
            |number: usize| pieces(&vec![0; number], 64).map(<[_]>::len).collect::<Vec<_>>();
        assert_eq!(sizes(0), [0; 0]);
        assert_eq!(sizes(1), [1]);
        assert_eq!(sizes(82), [64, 8, 8, 1, 1]);
        let numbers: Vec<usize> = (0..500).collect();
        for most in [64, 8, 1] {
            let found: Vec<usize> = pieces(&numbers, most).flatten().copied().collect();
            assert_eq!(found, numbers);
        }
        assert_eq!(pieces(&numbers, 1).count(), 500);
    }

    #[test]
    fn places_count_on_from_row_to_row() {
        assert_eq!(places(3, 1), "$2, $3, $4");
        assert_eq!(rows(2, 3), "($1, $2, $3), ($4, $5, $6)");
    }
}
