// npm @modelcontextprotocol as a client: plays what standard input tells, and prints what the SDK
// reports. `node client.mjs PACKAGES NAME`, NAME either `sdk` (the first line of releases) or `client`
// (the second). Asked and answered as `client.py`.

import { createRequire } from 'node:module';
import { text } from 'node:stream/consumers';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [packages, name] = process.argv.slice(2);
const from = createRequire(join(packages, 'none'));
const load = path => import(pathToFileURL(path));
// `require` finds the CommonJS form; `import` has to be given the other.
const sdk = name === 'sdk' ? await firstLine() : await load(join(packages, '@modelcontextprotocol/client/dist/index.mjs'));

async function firstLine() {
  const own = path => load(from.resolve(`@modelcontextprotocol/sdk/${path}`));
  const [client, http, types] = [await own('client/index.js'), await own('client/streamableHttp.js'), await own('types.js')];
  return { ...types, ...http, ...client };
}

const PATIENCE = { timeout: 20_000 };
const CHANGED = 'notifications/tools/list_changed';

class Player {
  constructor({ url, token, generation }) {
    this.modern = generation === '2026-07-28';
    const mode = this.modern ? { pin: generation } : 'legacy';
    this.client = new sdk.Client({ name: 'agent', version: '1' }, name === 'sdk' ? {} : { versionNegotiation: { mode } });
    const requestInit = { headers: { authorization: `Bearer ${token}` } };
    this.transport = new sdk.StreamableHTTPClientTransport(new URL(url), { requestInit });
    this.toolsChanged = new Promise(resolve => {
      const notification = name === 'sdk' ? sdk.ToolListChangedNotificationSchema : CHANGED;
      this.client.setNotificationHandler(notification, () => resolve(CHANGED));
    });
  }

  async connect() {
    await this.client.connect(this.transport, PATIENCE);
    const version = this.transport.protocolVersion;
    return { version, server: this.client.getServerVersion(), can: this.client.getServerCapabilities() };
  }

  call(tool, args, more = {}) {
    const [params, options] = [{ name: tool, arguments: args }, { ...PATIENCE, ...more }];
    return name === 'sdk' ? this.client.callTool(params, undefined, options) : this.client.callTool(params, options);
  }

  async play(word, ...rest) {
    const fresh = { ...PATIENCE, cacheMode: 'bypass' };
    switch (word) {
      case 'ping': return this.client.ping(PATIENCE);
      case 'tools': return this.client.listTools({}, fresh);
      case 'resources': return this.client.listResources({}, fresh);
      case 'prompts': return this.client.listPrompts({}, fresh);
      case 'call': return this.call(rest[0], { board: rest[1], ...(rest[2] && { text: rest[2] }) });
      case 'read': return this.client.readResource({ uri: rest[0] }, fresh);
      case 'prompt': return this.client.getPrompt({ name: rest[0] }, PATIENCE);
      case 'watch': return this.watch(rest[0]);
      case 'publish': return this.publish(rest[0]);
      default: throw new Error(word);
    }
  }

  async watch(board) {
    const progress = [];
    const onprogress = told => progress.push([told.progress, told.total, told.message]);
    const result = await this.call('watch_board', { board }, { onprogress });
    return { progress, result };
  }

  // The tools change, and who listens is told.
  async publish(board) {
    const listening = this.modern ? await this.client.listen({ toolsListChanged: true }, PATIENCE) : undefined;
    const result = await this.call('publish_board', { board });
    const nobody = new Promise(resolve => setTimeout(resolve, PATIENCE.timeout, 'nobody').unref());
    const told = await Promise.race([this.toolsChanged, nobody]);
    await listening?.close();
    return { told, result };
  }

  // Closing ends no session: that is asked for by itself.
  async end() {
    if (!this.modern) await this.transport.terminateSession();
    await this.client.close();
  }
}

async function attempt(act) {
  try {
    return { ok: await act() };
  } catch (error) {
    return { error: { type: error.constructor.name, code: error.code ?? null, message: error.message } };
  }
}

const plays = [];
for (const asked of JSON.parse(await text(process.stdin))) {
  const player = new Player(asked);
  const answers = [await attempt(() => player.connect())];
  if (answers[0].ok) {
    for (const step of asked.steps) answers.push(await attempt(() => player.play(...step)));
    await player.end();
  }
  plays.push(answers);
}
console.log(JSON.stringify(plays));
process.exit(0);
