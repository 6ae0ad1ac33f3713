//! A request at the gate, as a case says it: docs/fixtures-gate.md.

use anyhow::{Context, Result, bail};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, Mac as _};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use sha2::Sha256;

/// What comes to the gate.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GateRecipe {
    /// The route that the host names.
    route: Option<String>,
    method: Value,
    target: Value,
    headers: Vec<FieldRecipe>,
    body: Option<Value>,
    #[serde(default)]
    trailers: Vec<FieldRecipe>,
    certificate_sha256: Option<String>,
    peer_address: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldRecipe {
    name: Value,
    value: Value,
}

/// What the server answers.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ResponseRecipe {
    now: Option<u64>,
    content_type: Option<Value>,
    body: Option<Value>,
    chunks: Option<Vec<Value>>,
    session_id: Option<Value>,
}

/// Whose a session is, and its id.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SealRecipe {
    /// The case's own where absent.
    secret: Option<String>,
    tenant: String,
    user: Option<String>,
    agent: Option<String>,
    server: String,
    id: String,
}

/// What a text can name.
pub(super) struct Evidence<'e> {
    pub(super) token: Option<&'e str>,
    pub(super) contexts: &'e [String],
    pub(super) sealing: Option<&'e str>,
}

impl GateRecipe {
    /// Whether it says what its caller has seen happen.
    pub(super) fn names_an_epoch(&self) -> bool {
        self.headers.iter().any(|field| field.name == "mandate-minimum-epoch")
    }

    /// The request of docs/abi.md#gate.
    pub(super) fn request(&self, evidence: &Evidence<'_>) -> Result<Value> {
        let mut request = Map::new();
        let mut put = |name: &str, value: Value| request.insert(name.to_owned(), value);
        put("method", evidence.bytes(&self.method).context("method")?);
        put("target", evidence.bytes(&self.target).context("target")?);
        put("headers", evidence.fields(&self.headers).context("headers")?);
        put("trailers", evidence.fields(&self.trailers).context("trailers")?);
        if let Some(body) = &self.body {
            put("body", evidence.bytes(body).context("body")?);
        }
        for (name, text) in [
            ("route", &self.route),
            ("certificate_sha256", &self.certificate_sha256),
            ("peer_address", &self.peer_address),
        ] {
            if let Some(text) = text {
                put(name, json!(text));
            }
        }
        Ok(Value::Object(request))
    }
}

impl ResponseRecipe {
    /// The response of docs/conformance.md#gate.
    pub(super) fn response(&self, evidence: &Evidence<'_>) -> Result<Value> {
        let mut response = Map::new();
        let texts = [
            ("content_type", &self.content_type),
            ("body", &self.body),
            ("session_id", &self.session_id),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                response.insert(name.to_owned(), evidence.bytes(text).context(name)?);
            }
        }
        if let Some(chunks) = &self.chunks {
            let chunks = chunks.iter().map(|chunk| evidence.bytes(chunk));
            response.insert("chunks".to_owned(), chunks.collect::<Result<_>>()?);
        }
        response.extend(self.now.map(|now| ("now".to_owned(), json!(now))));
        Ok(Value::Object(response))
    }
}

impl Evidence<'_> {
    fn fields(&self, fields: &[FieldRecipe]) -> Result<Value> {
        let field =
            |field: &FieldRecipe| Ok(json!([self.bytes(&field.name)?, self.bytes(&field.value)?]));
        fields.iter().map(field).collect()
    }

    /// Bytes as the protocol writes them.
    fn bytes(&self, recipe: &Value) -> Result<Value> {
        let bytes = self.text(recipe)?;
        Ok(match String::from_utf8(bytes) {
            Ok(text) => json!(text),
            Err(error) => json!({ "base64url": URL_SAFE_NO_PAD.encode(error.into_bytes()) }),
        })
    }

    /// A text is itself, a placeholder what it names, and anything else its JSON.
    fn text(&self, recipe: &Value) -> Result<Vec<u8>> {
        if let Value::String(text) = recipe {
            return Ok(text.clone().into_bytes());
        }
        let placeholder = recipe.as_object().filter(|members| members.len() == 1);
        let placeholder = placeholder.and_then(|members| members.iter().next());
        match placeholder {
            Some((name, of)) if name.starts_with('$') => {
                self.placeholder(name, of).with_context(|| name.clone())
            }
            _ => Ok(recipe.to_string().into_bytes()),
        }
    }

    fn placeholder(&self, name: &str, of: &Value) -> Result<Vec<u8>> {
        Ok(match name {
            "$base64" => STANDARD.encode(self.text(of)?).into_bytes(),
            "$bytes" => URL_SAFE_NO_PAD.decode(of.as_str().context("a text")?)?,
            "$concat" => {
                let parts = of.as_array().context("a list")?.iter().map(|part| self.text(part));
                parts.collect::<Result<Vec<_>>>()?.concat()
            }
            "$context" => {
                let at = of.as_u64().and_then(|at| usize::try_from(at).ok()).context("a number")?;
                self.contexts.get(at).context("there is no such context")?.clone().into_bytes()
            }
            "$repeat" => {
                let text = self.text(of.get("text").context("`text`")?)?;
                let times = of.get("times").and_then(Value::as_u64).context("`times`")?;
                text.repeat(usize::try_from(times)?)
            }
            "$seal" => self.seal(&SealRecipe::deserialize(of)?)?.into_bytes(),
            "$token" => self.token.context("there is no token")?.as_bytes().to_vec(),
            _ => bail!("no such placeholder"),
        })
    }

    /// By the words of docs/mcp.md#sessions, not by the gate's own code.
    fn seal(&self, recipe: &SealRecipe) -> Result<String> {
        let SealRecipe { secret, tenant, user, agent, server, id } = recipe;
        let secret = secret.as_deref().or(self.sealing).context("there is no `sealing`")?;
        let parts = [Some(tenant), user.as_ref(), agent.as_ref(), Some(server), Some(id)];
        let mut statement = b"mandate/mcp-session/1\0".to_vec();
        for part in parts {
            statement.push(u8::from(part.is_some()));
            if let Some(part) = part {
                statement.extend_from_slice(&u64::try_from(part.len())?.to_be_bytes());
                statement.extend_from_slice(part.as_bytes());
            }
        }
        let mut tag = Hmac::<Sha256>::new_from_slice(secret.as_bytes())?;
        tag.update(&statement);
        let sealed = [tag.finalize().into_bytes().as_slice(), id.as_bytes()].concat();
        Ok(URL_SAFE_NO_PAD.encode(sealed))
    }
}

/// What the host says of the record in every case.
pub(super) fn emission() -> Value {
    json!({ "decision_id": "gate-1:boot:1", "source": "gate-1", "sequence": 1 })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Evidence;

    fn text(recipe: &serde_json::Value) -> String {
        let evidence = Evidence {
            token: Some("a.b.c"),
            contexts: &["d.e.f".to_owned()],
            sealing: Some("0123456789abcdef0123456789abcdef"),
        };
        String::from_utf8(evidence.text(recipe).unwrap()).unwrap()
    }

    #[test]
    fn a_text_is_itself_a_placeholder_what_it_names_and_anything_else_json() {
        assert_eq!(text(&json!("x")), "x");
        assert_eq!(text(&json!({"b": 1, "a": [null]})), r#"{"a":[null],"b":1}"#);
        let joined = json!({"$concat": ["Bearer ", {"$token": {}}, ",", {"$context": 0}]});
        assert_eq!(text(&joined), "Bearer a.b.c,d.e.f");
        assert_eq!(text(&json!({"$repeat": {"text": "ab", "times": 2}})), "abab");
        assert_eq!(text(&json!({"$concat": ["=?", {"$base64": "caf\u{e9}"}]})), "=?Y2Fmw6k=");
        assert_eq!(text(&json!({"$bytes": "YQ"})), "a");
    }
}
