//! Bytes to rows.

use super::{DeltaProblem, RowProblem, WILDCARD, grant_tag, presence, row_tag, subject_tag};
use crate::container::{LARGEST, Reader};
use crate::limits;
use crate::name::{ObjectName, Subject};
use crate::record::{Credential, DelegationMode, Grant, Holder, Identity, Kind, Scope, Status};
use crate::row::{Row, StoredCondition, StoredTuple};

/// Reads the rows of a delta's body, strictly: every row that is read has this one form.
///
/// Whether the rows fit the model and the snapshot is decided where they are applied.
///
/// # Errors
/// The first row that is malformed.
pub fn decode(body: &[u8]) -> Result<Vec<Row>, DeltaProblem> {
    let mut reader = RowReader { bytes: Reader::new(body) };
    let mut rows = Vec::new();
    while !reader.bytes.is_empty() {
        let at = rows.len();
        let error = |problem| DeltaProblem { row: at, problem };
        if at == limits::DELTA_ROWS {
            return Err(error(RowProblem::TooMany));
        }
        rows.push(reader.row().map_err(error)?);
    }
    Ok(rows)
}

type Read<T> = Result<T, RowProblem>;

struct RowReader<'b> {
    bytes: Reader<'b>,
}

impl RowReader<'_> {
    fn row(&mut self) -> Read<Row> {
        Ok(match self.bytes.byte()? {
            row_tag::DELETE_CREDENTIAL => Row::DeleteCredential { id: self.name()? },
            row_tag::DELETE_IDENTITY => Row::DeleteIdentity { object: self.object()? },
            row_tag::DELETE_OBJECT => Row::DeleteObject { object: self.object()? },
            row_tag::DELETE_TUPLE => Row::DeleteTuple {
                object: self.object()?,
                relation: self.name()?,
                subject: self.subject()?,
            },
            row_tag::PUT_CREDENTIAL => Row::PutCredential(self.credential()?),
            row_tag::PUT_IDENTITY => Row::PutIdentity(self.identity()?),
            row_tag::PUT_OBJECT => {
                Row::PutObject { object: self.object()?, tenant: self.optional(Self::name)? }
            }
            row_tag::WRITE_TUPLE => Row::WriteTuple(self.tuple()?),
            _ => return Err(RowProblem::Tag),
        })
    }

    fn tuple(&mut self) -> Read<StoredTuple> {
        Ok(StoredTuple {
            object: self.object()?,
            relation: self.name()?,
            subject: self.subject()?,
            condition: self.optional(Self::condition)?,
        })
    }

    fn condition(&mut self) -> Read<StoredCondition> {
        Ok(StoredCondition { name: self.name()?, context: self.bytes.counted()?.to_vec() })
    }

    fn subject(&mut self) -> Read<Subject> {
        Ok(match self.bytes.byte()? {
            subject_tag::OBJECT => Subject::Object(self.object()?),
            subject_tag::USERSET => Subject::Userset(self.object()?, self.name()?),
            subject_tag::WILDCARD => Subject::Wildcard(self.name()?),
            _ => return Err(RowProblem::Tag),
        })
    }

    fn object(&mut self) -> Read<ObjectName> {
        let object = ObjectName { type_name: self.name()?, id: self.name()? };
        if object.id == WILDCARD { Err(RowProblem::Wildcard) } else { Ok(object) }
    }

    fn identity(&mut self) -> Read<Identity> {
        Ok(Identity {
            object: self.object()?,
            kind: self.kind()?,
            subjects: self.list(Self::holder)?,
            clients: self.list(Self::holder)?,
            tenants: self.list(Self::name)?,
            status: self.status()?,
            expires_at: self.optional(Self::time)?,
            scope: self.optional(Self::scope)?,
            delegation: self.delegation()?,
            sole_user: self.optional(Self::object)?,
        })
    }

    fn credential(&mut self) -> Read<Credential> {
        Ok(Credential {
            id: self.name()?,
            identity: self.object()?,
            thumbprint: self.optional(|reader| Ok(reader.bytes.array()?))?,
            token_ids: self.list(Self::name)?,
            client: self.optional(Self::holder)?,
            subject: self.optional(Self::holder)?,
            context_key: self.optional(Self::name)?,
            expires_at: self.optional(Self::time)?,
            revoked_at: self.optional(Self::time)?,
        })
    }

    fn scope(&mut self) -> Read<Scope> {
        Ok(Scope {
            workspaces: self.grant()?,
            boards: self.grant()?,
            modes: self.grant()?,
            actions: self.grant()?,
        })
    }

    fn grant(&mut self) -> Read<Grant> {
        Ok(match self.bytes.byte()? {
            grant_tag::ALL => Grant::All,
            grant_tag::LISTED => Grant::Listed(self.list(Self::name)?),
            _ => return Err(RowProblem::Tag),
        })
    }

    fn holder(&mut self) -> Read<Holder> {
        Ok(Holder { issuer: self.name()?, name: self.name()? })
    }

    fn kind(&mut self) -> Read<Kind> {
        Ok(match self.bytes.byte()? {
            0 => Kind::Agent,
            1 => Kind::Service,
            2 => Kind::User,
            _ => return Err(RowProblem::Tag),
        })
    }

    fn status(&mut self) -> Read<Status> {
        Ok(match self.bytes.byte()? {
            0 => Status::Active,
            1 => Status::Retired,
            2 => Status::Suspended,
            _ => return Err(RowProblem::Tag),
        })
    }

    fn delegation(&mut self) -> Read<DelegationMode> {
        Ok(match self.bytes.byte()? {
            0 => DelegationMode::OnInvoke,
            1 => DelegationMode::Stored,
            _ => return Err(RowProblem::Tag),
        })
    }

    fn time(&mut self) -> Read<u64> {
        let time = self.bytes.u64()?;
        if time > LARGEST { Err(RowProblem::Number) } else { Ok(time) }
    }

    /// A text that is not empty: no name of anything may be.
    fn name(&mut self) -> Read<String> {
        let text = self.bytes.text()?;
        if text.is_empty() { Err(RowProblem::Empty) } else { Ok(text.to_owned()) }
    }

    fn optional<T>(&mut self, read: impl FnOnce(&mut Self) -> Read<T>) -> Read<Option<T>> {
        Ok(match self.bytes.byte()? {
            presence::ABSENT => None,
            presence::PRESENT => Some(read(self)?),
            _ => return Err(RowProblem::Tag),
        })
    }

    /// Nothing is reserved ahead: a count costs nothing until its elements have been read.
    fn list<T>(&mut self, read: impl Fn(&mut Self) -> Read<T>) -> Read<Vec<T>> {
        let count = self.bytes.u16()?;
        let mut elements = Vec::new();
        for _ in 0..count {
            elements.push(read(self)?);
        }
        Ok(elements)
    }
}
