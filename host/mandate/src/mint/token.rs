//! From a recipe to token bytes.

use anyhow::{Context, Result, bail, ensure};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{
    key_ring::KeyRing,
    members::{Members, sorted_text},
    mutation::{Form, Mutation, Part, Place},
    placeholder::fill_placeholders,
    recipe::TokenRecipe,
};

/// Makes the token. The same recipe gives the same bytes, everywhere and always.
///
/// # Errors
/// When the recipe contradicts itself or names a key that the ring lacks.
pub fn mint(recipe: &TokenRecipe, ring: &KeyRing) -> Result<String> {
    if let Some(text) = &recipe.text {
        return Ok(text.clone());
    }
    let signing = recipe.sign.as_ref().context("`sign` is missing")?;
    let mut draft = Draft {
        header: Json::from_value(&fill_placeholders(&recipe.header, ring)?, "header")?,
        claims: Json::from_value(&fill_placeholders(&recipe.claims, ring)?, "claims")?,
        signature: Signature::default(),
        more_parts: Vec::new(),
        form: None,
        around: (String::new(), String::new()),
        expected_signature: encoded_length(signing.length(ring)?),
    };
    for mutation in &recipe.before_signing {
        draft.apply(mutation)?;
    }
    let message = format!("{}.{}", draft.header.segment(), draft.claims.segment());
    draft.signature.bytes = signing.sign(ring, &message)?;
    for mutation in &recipe.after_signing {
        draft.apply(mutation)?;
    }
    Ok(draft.finish())
}

/// A token in the making.
#[derive(Debug)]
struct Draft {
    header: Json,
    claims: Json,
    signature: Signature,
    more_parts: Vec<String>,
    form: Option<Form>,
    around: (String, String),
    /// Characters that the signature will take: what `fill` reckons with.
    expected_signature: usize,
}

/// Header or claims: members, unless the text was replaced, unless the base64url text was.
#[derive(Debug)]
struct Json {
    members: Members,
    bytes: Option<Vec<u8>>,
    segment: Option<String>,
}

#[derive(Debug, Default)]
struct Signature {
    bytes: Vec<u8>,
    segment: Option<String>,
    dropped: bool,
}

impl Draft {
    fn apply(&mut self, mutation: &Mutation) -> Result<()> {
        match mutation {
            Mutation::ActChain { actors } => self.claims.set("act", &act_chain(*actors))?,
            Mutation::AddPart(text) => self.more_parts.push(text.clone()),
            Mutation::DropSignature {} => self.signature.dropped = true,
            Mutation::Duplicate { of, name, json, place } => {
                self.json(*of)?.add(name, json, *place)?;
            }
            Mutation::Fill { bytes } => self.fill(*bytes)?,
            Mutation::FlipSignatureBit { byte } => self.signature.flip(*byte)?,
            Mutation::Member { of, name, json } => self.json(*of)?.set(name, json)?,
            Mutation::Nest { of, name, depth } => self.json(*of)?.set(name, &nested(*depth)?)?,
            Mutation::ReplaceBytes { of, find, hex } => self.json(*of)?.replace(find, hex)?,
            Mutation::Segment { of, text, prepend, append, insert } => {
                let mut segment = text.clone().unwrap_or_else(|| self.segment(*of));
                if let Some((place, text)) = insert {
                    ensure!(segment.is_char_boundary(*place), "`insert`: no such place");
                    segment.insert_str(*place, text);
                }
                self.set_segment(*of, format!("{prepend}{segment}{append}"));
            }
            Mutation::Serialise(form) => self.form = Some(*form),
            Mutation::Signature(edit) => {
                self.signature.bytes = edit.apply(&self.signature.bytes)?
            }
            Mutation::SignatureHex(hex) => self.signature.bytes = from_hex(hex)?,
            Mutation::StandardAlphabet { of } => {
                let segment = self.segment(*of);
                let changed = segment.replace('-', "+").replace('_', "/");
                ensure!(changed != segment, "this part has neither `-` nor `_`");
                self.set_segment(*of, changed);
            }
            Mutation::Text { of, text } => self.json(*of)?.set_bytes(text.as_bytes().to_vec()),
            Mutation::TrailingBits { of } => {
                let segment = with_trailing_bit(&self.segment(*of))?;
                self.set_segment(*of, segment);
            }
            Mutation::Whole { prepend, append } => self.around = (prepend.clone(), append.clone()),
            Mutation::Wrap { of, prepend_hex, append_hex } => {
                let json = self.json(*of)?;
                let wrapped =
                    [from_hex(prepend_hex)?, json.bytes(), from_hex(append_hex)?].concat();
                json.set_bytes(wrapped);
            }
        }
        Ok(())
    }

    fn json(&mut self, part: Part) -> Result<&mut Json> {
        match part {
            Part::Claims => Ok(&mut self.claims),
            Part::Header => Ok(&mut self.header),
            Part::Signature => bail!("the signature is no JSON text"),
        }
    }

    fn segment(&self, part: Part) -> String {
        match part {
            Part::Claims => self.claims.segment(),
            Part::Header => self.header.segment(),
            Part::Signature => self.signature.segment(),
        }
    }

    fn set_segment(&mut self, part: Part, text: String) {
        let segment = match part {
            Part::Claims => &mut self.claims.segment,
            Part::Header => &mut self.header.segment,
            Part::Signature => &mut self.signature.segment,
        };
        *segment = Some(text);
    }

    fn fill(&mut self, bytes: usize) -> Result<()> {
        let separators = 2;
        let claims_length = bytes
            .checked_sub(self.header.segment().len())
            .and_then(|rest| rest.checked_sub(self.expected_signature))
            .and_then(|rest| rest.checked_sub(separators))
            .context("`fill`: the token is longer already")?;
        self.claims.set("fill", "\"\"")?;
        // Four characters hold three bytes; the remainder decides the last one to three.
        let wanted = claims_length.saturating_mul(3).div_euclid(4);
        let missing = wanted.checked_sub(self.claims.bytes().len()).context("`fill`: too long")?;
        self.claims.set("fill", &format!("\"{}\"", "x".repeat(missing)))?;
        ensure!(
            self.claims.segment().len() == claims_length,
            "`fill`: no base64url text has {claims_length} characters; make the header longer"
        );
        Ok(())
    }

    fn finish(&self) -> String {
        let (header, claims) = (self.header.segment(), self.claims.segment());
        let signature = self.signature.segment();
        let body = match self.form {
            Some(Form::Flattened) => sorted_text(&json!({
                "protected": header, "payload": claims, "signature": signature,
            })),
            Some(Form::General) => sorted_text(&json!({
                "payload": claims,
                "signatures": [{"protected": header, "signature": signature}],
            })),
            None => {
                let mut parts = vec![header, claims];
                if !self.signature.dropped {
                    parts.push(signature);
                }
                parts.extend_from_slice(&self.more_parts);
                parts.join(".")
            }
        };
        format!("{}{body}{}", self.around.0, self.around.1)
    }
}

impl Json {
    fn from_value(value: &Value, what: &str) -> Result<Self> {
        let object = value.as_object().with_context(|| format!("`{what}` is no object"))?;
        Ok(Self { members: Members::from_object(object), bytes: None, segment: None })
    }

    fn bytes(&self) -> Vec<u8> {
        self.bytes.clone().unwrap_or_else(|| self.members.text().into_bytes())
    }

    fn segment(&self) -> String {
        self.segment.clone().unwrap_or_else(|| URL_SAFE_NO_PAD.encode(self.bytes()))
    }

    fn set_bytes(&mut self, bytes: Vec<u8>) {
        self.bytes = Some(bytes);
    }

    fn set(&mut self, name: &str, json: &str) -> Result<()> {
        self.members()?.set(name, json);
        Ok(())
    }

    fn add(&mut self, name: &str, json: &str, place: Place) -> Result<()> {
        self.members()?.add(name, json, place == Place::First);
        Ok(())
    }

    fn replace(&mut self, find: &str, hex: &str) -> Result<()> {
        let bytes = self.bytes();
        let place = bytes
            .windows(find.len().max(1))
            .position(|window| window == find.as_bytes())
            .with_context(|| format!("`{find}` is not there to be replaced"))?;
        let (before, rest) = bytes.split_at(place);
        let after = rest.get(find.len()..).unwrap_or_default();
        self.bytes = Some([before, &from_hex(hex)?, after].concat());
        Ok(())
    }

    /// The members; once the text or the base64url text was replaced, they are out of reach.
    fn members(&mut self) -> Result<&mut Members> {
        ensure!(
            self.bytes.is_none() && self.segment.is_none(),
            "members cannot change after the text was replaced"
        );
        Ok(&mut self.members)
    }
}

impl Signature {
    fn segment(&self) -> String {
        self.segment.clone().unwrap_or_else(|| URL_SAFE_NO_PAD.encode(&self.bytes))
    }

    fn flip(&mut self, byte: isize) -> Result<()> {
        let place = if byte < 0 {
            self.bytes.len().checked_add_signed(byte)
        } else {
            usize::try_from(byte).ok()
        };
        let byte = place.and_then(|place| self.bytes.get_mut(place)).context("no such byte")?;
        *byte ^= 1;
        Ok(())
    }
}

/// `act` nested so that there are this many actors; the outermost is `agent-1`.
fn act_chain(actors: usize) -> String {
    (1..=actors).rev().fold(String::new(), |inner, number| {
        let inner = if inner.is_empty() { inner } else { format!(",\"act\":{inner}") };
        format!("{{\"sub\":\"agent-{number}\"{inner}}}")
    })
}

/// A value that is nested so deep that an object which holds it has the given depth.
fn nested(depth: usize) -> Result<String> {
    let arrays =
        depth.checked_sub(1).filter(|arrays| *arrays > 0).context("`depth` is at least 2")?;
    Ok(format!("{}{}", "[".repeat(arrays), "]".repeat(arrays)))
}

/// The same bytes in another base64url text: RFC 4648 section 3.5 calls the bits padding.
fn with_trailing_bit(segment: &str) -> Result<String> {
    ensure!(segment.len() % 4 > 1, "this part has no unused bits: change its length");
    let mut text = segment.to_owned();
    let last = text.pop().context("empty part")?;
    let value = ALPHABET.find(last).context("no base64url character")?;
    let next = ALPHABET.chars().nth(value | 1).filter(|next| *next != last);
    text.push(next.context("the lowest bit is set already")?);
    Ok(text)
}

fn from_hex(text: &str) -> Result<Vec<u8>> {
    ensure!(text.len().is_multiple_of(2), "`{text}`: an even number of hexadecimal digits");
    text.as_bytes()
        .chunks(2)
        .map(|pair| {
            let pair = std::str::from_utf8(pair)?;
            u8::from_str_radix(pair, 16).with_context(|| format!("`{pair}` is not hexadecimal"))
        })
        .collect()
}

fn encoded_length(bytes: usize) -> usize {
    bytes.saturating_mul(4).div_ceil(3)
}

const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
