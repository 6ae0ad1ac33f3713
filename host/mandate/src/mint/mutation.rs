//! The changes that a recipe makes to a token.

use serde::Deserialize;

/// One change. Before signing it is covered by the signature; afterwards it is not.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Mutation {
    /// Nests `act` (RFC 8693 section 4.1) this many deep.
    ActChain {
        /// How many actors, the outermost included.
        actors: usize,
    },
    /// Adds a part, after a full stop.
    AddPart(String),
    /// Removes the third part and the full stop before it.
    DropSignature {},
    /// Adds a member although one of that name is there.
    Duplicate {
        /// Where.
        of: Part,
        /// The member's name.
        name: String,
        /// Its JSON text.
        json: String,
        /// Before or after all others.
        place: Place,
    },
    /// Adds a claim `fill` so that the compact token has exactly this many bytes.
    Fill {
        /// The token's length.
        bytes: usize,
    },
    /// Flips the lowest bit of a byte of the signature.
    FlipSignatureBit {
        /// The byte; negative counts from the end.
        byte: isize,
    },
    /// Gives a member any JSON text: what a JSON value in the recipe cannot say (`1e400`, `null`).
    Member {
        /// Where.
        of: Part,
        /// The member's name.
        name: String,
        /// Its JSON text.
        json: String,
    },
    /// Adds a member so that the JSON text is nested exactly this deep, the object itself counted.
    Nest {
        /// Where.
        of: Part,
        /// The member's name.
        name: String,
        /// The depth of the whole.
        depth: usize,
    },
    /// Replaces text inside the JSON text by bytes, given in hexadecimal.
    ReplaceBytes {
        /// Where.
        of: Part,
        /// The text that goes, once.
        find: String,
        /// What comes.
        hex: String,
    },
    /// Replaces a part's base64url text.
    Segment {
        /// Where.
        of: Part,
        /// The new text; absent: the present text stays.
        #[serde(default)]
        text: Option<String>,
        /// Goes before it.
        #[serde(default)]
        prepend: String,
        /// Goes after it.
        #[serde(default)]
        append: String,
        /// Goes into it, after this many characters: `[characters, text]`.
        #[serde(default)]
        insert: Option<(usize, String)>,
    },
    /// Turns the token into a JSON serialisation (RFC 7515 section 7.2).
    Serialise(Form),
    /// Changes the signature's bytes.
    Signature(SignatureEdit),
    /// Replaces the signature by these bytes, in hexadecimal.
    SignatureHex(String),
    /// Writes the part in the standard base64 alphabet: `+` for `-`, `/` for `_`.
    StandardAlphabet {
        /// Where.
        of: Part,
    },
    /// Replaces the part's JSON text.
    Text {
        /// Where.
        of: Part,
        /// The text.
        text: String,
    },
    /// Sets an unused bit of the part's last base64url character: another text, the same bytes.
    TrailingBits {
        /// Where.
        of: Part,
    },
    /// Puts text around the finished token.
    Whole {
        /// Goes before it.
        #[serde(default)]
        prepend: String,
        /// Goes after it.
        #[serde(default)]
        append: String,
    },
    /// Puts bytes, in hexadecimal, around the part's JSON text.
    Wrap {
        /// Where.
        of: Part,
        /// Goes before it.
        #[serde(default)]
        prepend_hex: String,
        /// Goes after it.
        #[serde(default)]
        append_hex: String,
    },
}

/// A part of a compact JWS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Part {
    /// The second.
    Claims,
    /// The first.
    Header,
    /// The third.
    Signature,
}

/// Where a member is added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// Before all others: readers that keep the last value see the old one.
    First,
    /// After all others: readers that keep the first value see the old one.
    Last,
}

/// A JSON serialisation of a JWS.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// RFC 7515 section 7.2.2.
    Flattened,
    /// RFC 7515 section 7.2.1.
    General,
}

/// A change of the signature's bytes.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignatureEdit {
    /// ECDSA: r and s as an ASN.1 sequence instead of fixed-length numbers.
    Der,
    /// No bytes.
    Empty,
    /// Ed25519: S plus the group's order, a second signature for the same message (RFC 8032 section
    /// 5.1.7 refuses it).
    LargeS,
    /// A zero byte more, at the front.
    Lengthened,
    /// The first byte less.
    Shortened,
    /// As long as before, all zero: r = s = 0 (CVE-2022-21449).
    Zero,
    /// ECDSA: r stays, s is zero.
    ZeroS,
}
