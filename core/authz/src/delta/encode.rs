//! Rows to bytes: the mirror image of `decode`.

use super::{DeltaProblem, RowProblem, WILDCARD, grant_tag, presence, row_tag, subject_tag};
use crate::container::LARGEST;
use crate::limits;
use crate::name::{ObjectName, Subject};
use crate::record::{Credential, DelegationMode, Grant, Holder, Identity, Kind, Scope, Status};
use crate::row::{Row, StoredCondition, StoredTuple};

/// Writes rows as the body of a delta.
///
/// # Errors
/// The first row that [`decode`](super::decode()) would refuse.
pub fn encode(rows: &[Row]) -> Result<Vec<u8>, DeltaProblem> {
    let mut writer = RowWriter { bytes: Vec::new() };
    for (at, row) in rows.iter().enumerate() {
        let error = |problem| DeltaProblem { row: at, problem };
        if at == limits::DELTA_ROWS {
            return Err(error(RowProblem::TooMany));
        }
        writer.row(row).map_err(error)?;
    }
    Ok(writer.bytes)
}

type Written = Result<(), RowProblem>;

struct RowWriter {
    bytes: Vec<u8>,
}

impl RowWriter {
    fn row(&mut self, row: &Row) -> Written {
        match row {
            Row::DeleteCredential { id } => self.tag(row_tag::DELETE_CREDENTIAL).name(id),
            Row::DeleteIdentity { object } => self.tag(row_tag::DELETE_IDENTITY).object(object),
            Row::DeleteObject { object } => self.tag(row_tag::DELETE_OBJECT).object(object),
            Row::DeleteTuple { object, relation, subject } => {
                self.tag(row_tag::DELETE_TUPLE).object(object)?;
                self.name(relation)?;
                self.subject(subject)
            }
            Row::PutCredential(credential) => {
                self.tag(row_tag::PUT_CREDENTIAL).credential(credential)
            }
            Row::PutIdentity(identity) => self.tag(row_tag::PUT_IDENTITY).identity(identity),
            Row::PutObject { object, tenant } => {
                self.tag(row_tag::PUT_OBJECT).object(object)?;
                self.optional(tenant.as_ref(), |writer, tenant| writer.name(tenant))
            }
            Row::WriteTuple(tuple) => self.tag(row_tag::WRITE_TUPLE).tuple(tuple),
        }
    }

    fn tuple(&mut self, tuple: &StoredTuple) -> Written {
        self.object(&tuple.object)?;
        self.name(&tuple.relation)?;
        self.subject(&tuple.subject)?;
        self.optional(tuple.condition.as_ref(), Self::condition)
    }

    fn condition(&mut self, condition: &StoredCondition) -> Written {
        self.name(&condition.name)?;
        self.counted(&condition.context)
    }

    fn subject(&mut self, subject: &Subject) -> Written {
        match subject {
            Subject::Object(object) => self.tag(subject_tag::OBJECT).object(object),
            Subject::Userset(object, relation) => {
                self.tag(subject_tag::USERSET).object(object)?;
                self.name(relation)
            }
            Subject::Wildcard(type_name) => self.tag(subject_tag::WILDCARD).name(type_name),
        }
    }

    fn object(&mut self, object: &ObjectName) -> Written {
        if object.id == WILDCARD {
            return Err(RowProblem::Wildcard);
        }
        self.name(&object.type_name)?;
        self.name(&object.id)
    }

    fn identity(&mut self, identity: &Identity) -> Written {
        self.object(&identity.object)?;
        self.tag(match identity.kind {
            Kind::Agent => 0,
            Kind::Service => 1,
            Kind::User => 2,
        });
        self.list(&identity.subjects, Self::holder)?;
        self.list(&identity.clients, Self::holder)?;
        self.list(&identity.tenants, |writer, tenant| writer.name(tenant))?;
        self.tag(match identity.status {
            Status::Active => 0,
            Status::Retired => 1,
            Status::Suspended => 2,
        });
        self.optional(identity.expires_at.as_ref(), Self::time)?;
        self.optional(identity.scope.as_ref(), Self::scope)?;
        self.tag(match identity.delegation {
            DelegationMode::OnInvoke => 0,
            DelegationMode::Stored => 1,
        });
        self.optional(identity.sole_user.as_ref(), Self::object)
    }

    fn credential(&mut self, credential: &Credential) -> Written {
        self.name(&credential.id)?;
        self.object(&credential.identity)?;
        self.optional(credential.thumbprint.as_ref(), |writer, thumbprint| {
            writer.bytes.extend_from_slice(thumbprint);
            Ok(())
        })?;
        self.list(&credential.token_ids, |writer, id| writer.name(id))?;
        self.optional(credential.client.as_ref(), Self::holder)?;
        self.optional(credential.subject.as_ref(), Self::holder)?;
        self.optional(credential.context_key.as_ref(), |writer, key| writer.name(key))?;
        self.optional(credential.expires_at.as_ref(), Self::time)?;
        self.optional(credential.revoked_at.as_ref(), Self::time)
    }

    fn scope(&mut self, scope: &Scope) -> Written {
        self.grant(&scope.workspaces)?;
        self.grant(&scope.boards)?;
        self.grant(&scope.modes)?;
        self.grant(&scope.actions)
    }

    fn grant(&mut self, grant: &Grant) -> Written {
        match grant {
            Grant::All => {
                self.tag(grant_tag::ALL);
                Ok(())
            }
            Grant::Listed(names) => {
                self.tag(grant_tag::LISTED).list(names, |writer, name| writer.name(name))
            }
        }
    }

    fn holder(&mut self, holder: &Holder) -> Written {
        self.name(&holder.issuer)?;
        self.name(&holder.name)
    }

    fn time(&mut self, time: &u64) -> Written {
        if *time > LARGEST {
            return Err(RowProblem::Number);
        }
        self.bytes.extend_from_slice(&time.to_le_bytes());
        Ok(())
    }

    fn name(&mut self, text: &str) -> Written {
        if text.is_empty() {
            return Err(RowProblem::Empty);
        }
        self.counted(text.as_bytes())
    }

    fn counted(&mut self, bytes: &[u8]) -> Written {
        self.count(bytes.len())?;
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn optional<T>(
        &mut self,
        value: Option<&T>,
        write: impl FnOnce(&mut Self, &T) -> Written,
    ) -> Written {
        let Some(value) = value else {
            self.tag(presence::ABSENT);
            return Ok(());
        };
        write(self.tag(presence::PRESENT), value)
    }

    fn list<T>(&mut self, elements: &[T], write: impl Fn(&mut Self, &T) -> Written) -> Written {
        self.count(elements.len())?;
        elements.iter().try_for_each(|element| write(self, element))
    }

    fn count(&mut self, count: usize) -> Written {
        let count = u16::try_from(count).map_err(|_| RowProblem::Long)?;
        self.bytes.extend_from_slice(&count.to_le_bytes());
        Ok(())
    }

    fn tag(&mut self, tag: u8) -> &mut Self {
        self.bytes.push(tag);
        self
    }
}
