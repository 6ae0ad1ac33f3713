//! rmcp as a client: plays what standard input tells, and prints what the SDK reports.
//!
//! Asked and answered as `client.py`.

use std::error::Error;
use std::io::Read as _;
use std::sync::Mutex;
use std::time::Duration;

use rmcp::model::{
    CallToolRequestParams, ClientRequest, GetPromptRequestParams, PingRequest,
    ProgressNotificationParam, ProtocolVersion, ReadResourceRequestParams, SubscriptionFilter,
};
use rmcp::service::{ClientInitializeError, NotificationContext, RunningService};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;
use rmcp::{ClientHandler, ClientLifecycleMode, ClientServiceExt as _, RoleClient, ServiceError};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::time::timeout;

/// What came without being asked for.
#[derive(Default)]
struct Heard {
    progress: Mutex<Vec<Value>>,
    tools_changed: Notify,
}

impl ClientHandler for Heard {
    async fn on_progress(
        &self,
        told: ProgressNotificationParam,
        _: NotificationContext<RoleClient>,
    ) {
        let step = json!([told.progress, told.total, told.message]);
        self.progress.lock().expect("not poisoned").push(step);
    }

    async fn on_tool_list_changed(&self, _: NotificationContext<RoleClient>) {
        self.tools_changed.notify_one();
    }
}

type Client = RunningService<RoleClient, Heard>;
type Played = Result<Value, Box<dyn Error>>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let asked: Vec<Value> = serde_json::from_str(&text)?;
    let mut plays = Vec::new();
    for asked in &asked {
        plays.push(timeout(6 * PATIENCE, play_all(asked)).await??);
    }
    println!("{}", Value::from(plays));
    Ok(())
}

async fn play_all(asked: &Value) -> Result<Value, Box<dyn Error>> {
    let word = |name: &str| asked[name].as_str().unwrap_or_default().to_owned();
    let config = StreamableHttpClientTransportConfig::with_uri(word("url"));
    let transport = StreamableHttpClientTransport::from_config(config.auth_header(word("token")));
    let modern = word("generation") == "2026-07-28";
    let lifecycle = if modern {
        let preferred_versions = vec![ProtocolVersion::V_2026_07_28];
        ClientLifecycleMode::Discover { preferred_versions }
    } else {
        ClientLifecycleMode::Initialize
    };
    let connected = Heard::default().serve_with_lifecycle(transport, lifecycle).await;
    let mut client = match connected {
        Ok(client) => client,
        Err(error) => return Ok(json!([connecting_reported(&error)])),
    };
    let mut answers = vec![json!({"ok": client.peer_info()})];
    for step in asked["steps"].as_array().into_iter().flatten() {
        let words = step.as_array().into_iter().flatten().filter_map(Value::as_str);
        let played = play(&client, modern, &words.collect::<Vec<_>>()).await;
        let answer = played.map(|ok| json!({"ok": ok}));
        answers.push(answer.unwrap_or_else(|error| reported(error.as_ref())));
    }
    client.close_with_timeout(PATIENCE).await?;
    Ok(answers.into())
}

async fn play(client: &Client, modern: bool, words: &[&str]) -> Played {
    Ok(match *words {
        ["ping"] => {
            let request = ClientRequest::PingRequest(PingRequest::default());
            json!(client.send_request(request).await?)
        }
        ["tools"] => json!(client.list_tools(None).await?),
        ["resources"] => json!(client.list_resources(None).await?),
        ["prompts"] => json!(client.list_prompts(None).await?),
        ["call", tool, board] => call(client, tool, &json!({"board": board})).await?,
        ["call", tool, board, text] => {
            call(client, tool, &json!({"board": board, "text": text})).await?
        }
        ["read", uri] => json!(client.read_resource(ReadResourceRequestParams::new(uri)).await?),
        ["prompt", name] => json!(client.get_prompt(GetPromptRequestParams::new(name)).await?),
        ["watch", board] => {
            client.service().progress.lock().expect("not poisoned").clear();
            let result = call(client, "watch_board", &json!({"board": board})).await?;
            let progress = client.service().progress.lock().expect("not poisoned").clone();
            json!({"progress": progress, "result": result})
        }
        ["publish", board] => publish(client, modern, board).await?,
        _ => return Err(format!("{words:?}").into()),
    })
}

async fn call(client: &Client, tool: &str, arguments: &Value) -> Played {
    let arguments = arguments.as_object().cloned().unwrap_or_default();
    let params = CallToolRequestParams::new(tool.to_owned()).with_arguments(arguments);
    Ok(json!(timeout(PATIENCE, client.call_tool(params)).await??))
}

/// The tools change, and who listens is told.
async fn publish(client: &Client, modern: bool, board: &str) -> Played {
    let arguments = json!({"board": board});
    if !modern {
        let result = call(client, "publish_board", &arguments).await?;
        timeout(PATIENCE, client.service().tools_changed.notified()).await?;
        return Ok(json!({"told": "on_tool_list_changed", "result": result}));
    }
    let filter = SubscriptionFilter::builder().tools_list_changed().build();
    let mut listening = client.listen(filter).await?;
    let result = call(client, "publish_board", &arguments).await?;
    let told = timeout(PATIENCE, listening.next()).await??;
    listening.cancel().await?;
    Ok(json!({"told": told, "result": result}))
}

/// The variant of the SDK's error, and what it holds.
fn reported(error: &(dyn Error + 'static)) -> Value {
    let (name, code) = match error.downcast_ref::<ServiceError>() {
        Some(ServiceError::McpError(error)) => ("ServiceError::McpError", Some(error.code.0)),
        Some(ServiceError::TransportSend(_)) => ("ServiceError::TransportSend", None),
        Some(ServiceError::TransportClosed) => ("ServiceError::TransportClosed", None),
        Some(_) => ("ServiceError", None),
        None => ("Error", None),
    };
    json!({"error": {"type": name, "code": code, "message": error.to_string()}})
}

fn connecting_reported(error: &ClientInitializeError) -> Value {
    let (name, code) = match error {
        ClientInitializeError::JsonRpcError(error) => {
            ("ClientInitializeError::JsonRpcError", Some(error.code.0))
        }
        ClientInitializeError::TransportError { .. } => {
            ("ClientInitializeError::TransportError", None)
        }
        _ => ("ClientInitializeError", None),
    };
    json!({"error": {"type": name, "code": code, "message": error.to_string()}})
}

const PATIENCE: Duration = Duration::from_secs(20);
