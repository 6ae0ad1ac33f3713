//! Who may change what: the table, and nothing beside it.

/// What somebody wants to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Give an identity one more credential.
    AddCredential,
    /// Begin a new era.
    BeginEra,
    /// Make an identity.
    CreateIdentity,
    /// Store or end `delegate_of` of a user.
    Delegate,
    /// Remove an identity with everything of it.
    DeleteIdentity,
    /// Take tokens of another table over.
    ImportLegacy,
    /// Make a scope smaller.
    Narrow,
    /// Register a person with tenants and links, or a tenant; take over facts.
    Register,
    /// Store or end any other relationship in the tenant.
    Relate,
    /// Let a suspended identity act again.
    Resume,
    /// End an identity for good.
    Retire,
    /// End a credential.
    Revoke,
    /// Replace a credential.
    Rotate,
    /// Stop an identity for now.
    Suspend,
    /// Make a scope larger.
    Widen,
}

/// What somebody is to the thing that would change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// `admin` of its tenant.
    Administrator,
    /// Has the database in hand.
    Local,
    /// An agent or a service, whatever else it is.
    Machine,
    /// Named by the deployment's configuration.
    Operator,
    /// The identity's owner.
    Owner,
    /// None of these.
    Stranger,
    /// The user whose delegation it is.
    User,
}

/// Whether a standing suffices for a deed.
pub(crate) const fn suffices(standing: Standing, deed: Deed) -> bool {
    match standing {
        Standing::Local => true,
        Standing::Administrator => match deed {
            Deed::AddCredential
            | Deed::CreateIdentity
            | Deed::Delegate
            | Deed::DeleteIdentity
            | Deed::ImportLegacy
            | Deed::Narrow
            | Deed::Relate
            | Deed::Resume
            | Deed::Retire
            | Deed::Revoke
            | Deed::Rotate
            | Deed::Suspend
            | Deed::Widen => true,
            // Eras and memberships cross tenants, and links say who a token is.
            Deed::BeginEra | Deed::Register => false,
        },
        Standing::Operator => matches!(deed, Deed::BeginEra | Deed::Register),
        // An owner may end and replace, and never has the identity do more than it could.
        Standing::Owner => {
            matches!(deed, Deed::Narrow | Deed::Revoke | Deed::Rotate | Deed::Suspend)
        }
        Standing::User => matches!(deed, Deed::Delegate),
        Standing::Machine | Standing::Stranger => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cell_of_the_table_is_as_the_documentation_says() {
        use Deed::*;
        // Columns: local, administrator, owner, the user, machine, stranger, operator.
        let table = [
            (AddCredential, "yes yes no no no no no"),
            (BeginEra, "yes no no no no no yes"),
            (CreateIdentity, "yes yes no no no no no"),
            (Delegate, "yes yes no yes no no no"),
            (DeleteIdentity, "yes yes no no no no no"),
            (ImportLegacy, "yes yes no no no no no"),
            (Narrow, "yes yes yes no no no no"),
            (Register, "yes no no no no no yes"),
            (Relate, "yes yes no no no no no"),
            (Resume, "yes yes no no no no no"),
            (Retire, "yes yes no no no no no"),
            (Revoke, "yes yes yes no no no no"),
            (Rotate, "yes yes yes no no no no"),
            (Suspend, "yes yes yes no no no no"),
            (Widen, "yes yes no no no no no"),
        ];
        let columns = [
            Standing::Local,
            Standing::Administrator,
            Standing::Owner,
            Standing::User,
            Standing::Machine,
            Standing::Stranger,
            Standing::Operator,
        ];
        for (deed, expected) in table {
            let row = columns.map(|standing| if suffices(standing, deed) { "yes" } else { "no" });
            assert_eq!(row.join(" "), expected, "{deed:?}");
        }
        assert_eq!(table.len(), 15);
    }
}
