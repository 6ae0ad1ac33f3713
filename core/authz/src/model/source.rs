//! Where the parts of a model stand in its text, beside the model itself: a model made in code or
//! read from JSON has none, and two texts that say the same give equal models.

use super::error::Span;

/// Places of a model's parts, in the model's own order.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    pub(super) types: Vec<TypePlaces>,
    pub(super) conditions: Vec<ConditionPlaces>,
}

/// Places of a type.
#[derive(Clone, Debug)]
pub(super) struct TypePlaces {
    pub(super) name: Span,
    pub(super) relations: Vec<RelationPlaces>,
}

/// Places of a relation.
#[derive(Clone, Debug)]
pub(super) struct RelationPlaces {
    pub(super) name: Span,
    pub(super) restrictions: Vec<RestrictionPlaces>,
    /// The operands `a` and `a from b`, from left to right.
    pub(super) operands: Vec<OperandPlaces>,
}

/// Places of one entry of `[…]`.
#[derive(Clone, Copy, Debug)]
pub(super) struct RestrictionPlaces {
    pub(super) whole: Span,
    pub(super) type_name: Span,
    /// `team#member`, without `with condition`.
    pub(super) subject: Span,
    pub(super) condition: Option<Span>,
}

/// Places of one operand.
#[derive(Clone, Copy, Debug)]
pub(super) struct OperandPlaces {
    pub(super) whole: Span,
    pub(super) tupleset: Option<Span>,
}

/// Places of a condition.
#[derive(Clone, Copy, Debug)]
pub(super) struct ConditionPlaces {
    pub(super) name: Span,
    /// The first character of the expression.
    pub(super) expression: Span,
}

impl Span {
    /// From the beginning of this to the end of another on the same line.
    pub(super) fn to(self, end: Self) -> Self {
        let last = end.column.saturating_add(end.length);
        let length =
            if self.line == end.line { last.saturating_sub(self.column) } else { self.length };
        Self { length, ..self }
    }
}
